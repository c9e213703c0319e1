"""Models are only data: rows and files that were corrupted, or made by somebody who means harm.

A row of ``custseg.models`` is changed in a random place, with and without a checksum that fits
again. Whatever uses it must then refuse it by an error of ours, or give what numpy computes of the
very values that are there. A file is damaged or made up; it must be refused, and leave all as it
was, or be the model that it was.
"""

# ruff: noqa: ARG001 (what goes through a table of functions takes what all of them take)

import contextlib
import copy
import itertools
import json
import math
import os
import pickle
import random
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import custseg_duck
from custseg_duck.errors import code_of, message_of
from custseg_duck.models import IN_A_FILE
from custseg_duck.udfs import arrow
from tests.hard.figure import Figure

PROMISED = 500

EXECUTED, WRONG = "code executed", "silent wrong assignments"
UNCLEAR, TOUCHED = "unclear errors", "tables touched"
FEATURES = ("customer_id", "visits", "spend", "pace", '"; drop table x; --')
QUICK: dict[str, Any] = {
    "k": 3, "decision_rules": False, "segment_rules": False, "n_recommendations": 0,
}  # fmt: skip
RUNS: dict[str, dict[str, Any]] = {
    "kmeans": {"weights": {"visits": 2.0}, "transforms": {"spend": "log"}},
    "full": {"algorithm": "gmm", "covariance_type": "full", "include": ["visits", "spend", "pace"]},
    "tied": {"algorithm": "gmm", "covariance_type": "tied", "include": ["spend", "pace"]},
    "diag": {"algorithm": "gmm", "covariance_type": "diag", "include": [FEATURES[4], "pace"]},
    "spherical": {"algorithm": "gmm", "covariance_type": "spherical", "include": ["spend", "pace"]},
}
# 90 customers in three groups, whose departments differ too
OWN = """
    create table own as
    select
        customer as customer_id,
        customer % 3 * 10 + hash(customer, 1) % 5 as visits,
        exp(customer % 3 * 2 + (hash(customer, 2) % 1000) / 1000) as spend,
        case when customer % 13 > 0 then customer % 3 * 7 + (hash(customer, 3) % 1000) / 300 end
            as pace,
        (hash(customer, 4) % 1000) / 100 + customer % 3 as "{hostile}",
        map {{
            'tea': (1 + customer % 3) / 4 + (hash(customer, 5) % 100) / 1000,
            '''); select 1; --': (hash(customer, 6) % 100) / 200
        }} as department_share,
    from range(90) as customers (customer)
"""

Model = dict[str, Any]


class Changed(NamedTuple):
    """A model that was changed, and where."""

    model: Model | None
    what: str


# ---- what is right, computed from the values of a model by nothing of ours


def vectors(model: Model, rows: list[dict[str, Any]]) -> np.ndarray[Any, Any]:
    """Raw features on the model's scale: weight * (transformed - center) / scale."""
    columns = []
    for step in model["features"]:
        if step["department"] is None:
            by_name = {name.lower(): name for name in rows[0]}
            raw = [row[by_name[step["name"].lower()]] for row in rows]
        else:
            raw = [row["department_share"].get(step["department"]) for row in rows]
        x = np.array([step["fill"] if one is None else float(one) for one in raw])
        if step["transform"] == "log":
            x = np.sign(x) * np.log(1 + np.abs(x) / step["unit"])
        columns.append((x - step["center"]) / (step["scale"] / step["weight"]))
    return np.stack(columns, axis=1)


def scores(model: Model, points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The nearer, or the more probable, the higher; of shape (customers, segments)."""
    found = []
    for one in model["components"]:
        if model["algorithm"] == "kmeans":
            found.append(-np.sqrt(((points - np.array(one["center"])) ** 2).sum(axis=1)))
        else:
            rows, shift = np.array(one["precision_rows"]), np.array(one["shift"])
            found.append(one["log_offset"] - 0.5 * ((points @ rows.T - shift) ** 2).sum(axis=1))
    return np.stack(found, axis=1)


def is_consistent(model: Model | None) -> bool:
    """Whether the values say what to assign: known words, finite numbers, lengths that fit."""
    with contextlib.suppress(TypeError, KeyError, ValueError, AttributeError):
        assert model is not None
        n = len(model["features"])
        numbers = [
            step[key]
            for step in model["features"]
            for key in ("fill", "center", "scale", "unit", "weight")
        ]
        is_mixture = model["algorithm"] == "gmm"
        for one in model["components"]:
            if np.array(one["center"], float).shape != (n,):
                return False
            numbers += one["center"]
            if is_mixture:
                if np.array(one["precision_rows"], float).shape != (n, n):
                    return False
                if np.array(one["shift"], float).shape != (n,):
                    return False
                matrix = itertools.chain(*one["precision_rows"])
                numbers += [*matrix, *one["shift"], one["log_offset"]]
            elif one["precision_rows"] is not None:
                return False
        return bool(
            model["version"] == 1 and model["algorithm"] in ("kmeans", "gmm") and n
            and model["components"] and all(math.isfinite(number) for number in numbers)
            and all(
                step["name"] and step["transform"] in ("identity", "log")
                and min(step["scale"], step["unit"], step["weight"]) > 0
                for step in model["features"]
            )
        )  # fmt: skip
    return False


# ---- how a model is changed


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every leaf, list and struct of a model."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(
        value if isinstance(value, list) else ()
    )  # fmt: skip
    for key, one in items:
        yield from _places(one, (*path, key))


def _at(model: Model, path: tuple[Any, ...]) -> Any:
    found: Any = model
    for key in path:
        found = found[key]
    return found


def _put(model: Model, path: tuple[Any, ...], value: Any) -> None:
    _at(model, path[:-1])[path[-1]] = value


NUMBERS = ("fill", "center", "scale", "unit", "weight", "log_offset", "inertia", "bic", "aic",
           "log_likelihood")  # fmt: skip
WHOLE = ("version", "seed", "n_rows", "n_iter", "n")
WORDS = (
    "",
    "eval",
    "kmeans",
    "gmm",
    "identity",
    "log",
    "sqrt",
    "full",
    "diag",
    "SPEND",
    "visits",
    "department_share",
    "tea",
    "'); drop table x; --",
    "__import__('os')",
    "\0",
    "x" * 5000,
)


def _leaf(old: Any, key: Any, draw: random.Random) -> Any:
    """What a value becomes: another one of its type, or NULL."""
    if draw.random() < 0.15:
        return None
    if isinstance(old, bool):
        return not old
    if isinstance(old, str) or key in ("department", "covariance_type"):
        return draw.choice(WORDS)
    if old is None and key not in NUMBERS:
        return None  # what had a type that it no longer tells
    if key in WHOLE:
        return draw.choice([0, -1, 1, 2, 2**31 - 1])
    old = old if isinstance(old, float | int) else 1.0
    return draw.choice([
        math.nan, math.inf, -math.inf, 0.0, -old, old * 1e6, old / 1e6, old + 1e-3, 1e308, -1e308,
        5e-324, 1e-300, old * 1.1, float(draw.randint(-3, 3)),
    ])  # fmt: skip


def _list(old: list[Any], draw: random.Random) -> Any:
    """What a list becomes: of another length or order."""
    some = copy.deepcopy(draw.choice(old)) if old else None
    shuffled = draw.sample(old, len(old))
    return draw.choice([
        [], None, old[:-1], old[1:], [*old, some], [*old, None], [some] * len(old), old[::-1],
        shuffled, [None, *old[1:]], [*old, *old],
    ])  # fmt: skip


def changed(model: Model, draw: random.Random) -> Changed:
    """A model with one to three changes in random places."""
    if draw.random() < 0.02:
        return Changed(None, "the whole is NULL")
    made, said = copy.deepcopy(model), []
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        # a list of numbers, not all of its numbers, is as likely as one word
        by_shape: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        for path in _places(made):
            by_shape.setdefault(tuple(k for k in path if isinstance(k, str)), []).append(path)
        path = draw.choice(by_shape[draw.choice(sorted(by_shape))])
        old = _at(made, path)
        new = (
            _list(old, draw) if isinstance(old, list)
            else None if isinstance(old, dict)
            else _leaf(old, path[-1], draw)
        )  # fmt: skip
        _put(made, path, new)
        said.append(f"{'.'.join(map(str, path))} from {str(old)[:60]} to {str(new)[:60]}")
    return Changed(made, "; ".join(said))


# ---- the trial of a row


class Shop:
    """A database with good models, and what must stay as it is."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.good: dict[str, Model] = dict(
            con.execute("select name, model from custseg.latest_models order by name").fetchall()
        )
        described = con.execute("from own order by customer_id")
        names = [name for name, *_ in described.description or ()]
        self.rows = [dict(zip(names, row, strict=True)) for row in described.fetchall()]
        con.execute("create table kept as from custseg.models")
        self.before = self.digest()

    def digest(self) -> list[tuple[Any, ...]]:
        """All tables in numbers, but those of what was changed on purpose."""
        tables = self.con.execute(
            'select format(\'"{}"."{}"\', schema_name, table_name) from duckdb_tables() '
            "where table_name <> 'models' order by 1"
        ).fetchall()
        return [
            (table, *self.con.execute(
                f"select count(*), bit_xor(hash(one::varchar)) from {table} as one").fetchall())
            for (table,) in tables
        ]  # fmt: skip

    def put(self, name: str, model: Model | None, *, signed: bool) -> None:
        """Store a model, with or without a checksum that fits it."""
        self.con.register("given", pa.table({"model": pa.array([model], arrow.MODEL)}))
        checksum = "custseg.model_checksum(given.model)" if signed else "checksum"
        self.con.execute(
            f"update custseg.models set model = given.model, checksum = {checksum} from given "
            "where name = $name", {"name": name},
        )  # fmt: skip
        self.con.unregister("given")

    def restore(self) -> None:
        """The good models."""
        self.con.execute("delete from custseg.models; insert into custseg.models from kept")


class _Trial(NamedTuple):
    figure: Figure
    shop: Shop
    name: str
    model: Model | None
    detail: str

    def refused(self, error: Exception, what: str) -> None:
        """An error is one of ours, or what DuckDB says of a list's length."""
        self.figure.counts["refusals"] += 1
        if not is_clear(error):
            self.figure.failed(
                UNCLEAR, f"{self.detail}, {what}: {type(error).__name__} {str(error)[:300]}"
            )

    def wrong(self, what: str) -> None:
        """Something was computed that is not of these values."""
        self.figure.failed(WRONG, f"{self.detail}, {what}")

    def expected(self) -> np.ndarray[Any, Any] | None:
        """The scores of every customer; None if the values do not say any."""
        if self.model is None or not is_consistent(self.model):
            return None
        try:
            with np.errstate(all="ignore"):
                return scores(self.model, vectors(self.model, self.shop.rows))
        except KeyError:  # a feature that the table does not have
            return None

    def check(self, found: list[tuple[Any, ...]], what: str) -> None:
        """Hold segments by customer_id against those of the values."""
        expected = self.expected()
        if expected is None:
            self.wrong(f"{what}: {found[:2]} of values that say nothing")
            return
        self.figure.counts["assignments held against numpy"] += len(found)
        if len(found) != len(self.shop.rows):
            self.wrong(f"{what}: {len(found)} rows")
            return
        for number, (customer_id, segment) in enumerate(sorted(found)):
            row = expected[number]
            known = np.where(np.isnan(row), -np.inf, row)
            best = known.max()
            is_right = (
                customer_id == number
                and segment is not None
                and 0 <= segment < len(row)
                and (best - known[segment]) <= 1e-9 * max(1.0, abs(best))
            )
            if not is_right:
                self.wrong(f"{what}: customer {customer_id} in segment {segment} of {row}")
                return


def is_clear(error: Exception) -> bool:
    """Whether an error has one of our codes, or is of a list that DuckDB cannot measure."""
    if isinstance(error, custseg_duck.CustsegError):
        cause = error.__cause__
        is_internal = isinstance(cause, duckdb.InternalException)
        return error.code not in ("query", "other") and not is_internal
    return (
        isinstance(error, duckdb.InvalidInputException) and code_of(message_of(error)) is not None
    )


def _scored(trial: _Trial) -> None:
    """By custseg.score and explain, which look at the model first."""
    con = trial.shop.con
    try:
        found = con.execute(
            "select customer_id, segment from custseg.score('own', $name)", {"name": trial.name}
        ).fetchall()
    except duckdb.Error as error:
        trial.refused(error, "score")
    else:
        trial.check(found, "score")
    try:
        reasons = con.execute(
            "select distinct segment from custseg.explain(7, of_run := $name)", {"name": trial.name}
        ).fetchall()
    except duckdb.Error as error:
        trial.refused(error, "explain")
        return
    expected = trial.expected()
    with np.errstate(all="ignore"):
        is_known = expected is not None and np.isfinite(expected[7]).all()
    if is_known and expected is not None:
        best = expected[7].max()
        for (segment,) in reasons:
            if segment is None or best - expected[7][segment] > 1e-9 * max(1.0, abs(best)):
                trial.wrong(f"explain: segment {segment} of {expected[7]}")


def _told(trial: _Trial) -> None:
    """By the centroids, and by what says how far and how probable."""
    con = trial.shop.con
    calls = {
        "centroids": "select segment, value from custseg.centroids('custseg.models')",
        "distances": "select custseg.distances(model, vectors.features)",
        "probabilities": "select custseg.probabilities(model, vectors.features)",
        "assign": "select custseg.assign(model, vectors.features)",
    }
    for what, called in calls.items():
        query = called
        if what != "centroids":
            query += (
                " from custseg.models cross join custseg.apply_transform('own', (select "
                "model.features from custseg.stored_model($name))) as vectors where name = $name"
            )
        try:
            found = con.execute(query, {"name": trial.name} if "$" in query else {}).fetchall()
        except duckdb.Error as error:
            if isinstance(error, duckdb.InternalException | duckdb.FatalException):
                trial.figure.failed(UNCLEAR, f"{trial.detail}, {what}: {error}")
            elif what != "centroids":  # they look at the model first
                trial.refused(error, what)
            continue
        if what == "probabilities":
            sums = [sum(row[0]) for row in found if row[0] is not None]
            if len(sums) < len(found) or any(abs(one - 1) > 1e-9 for one in sums):
                trial.wrong(f"probabilities: they add up to {sums[:3]}")
        if what == "assign" and any(row[0] is None for row in found):
            trial.wrong("assign: NULL")


def _refreshed(trial: _Trial, fit: Any) -> None:
    """By refresh, which goes on from the model; what it refuses leaves all as it was."""
    con = trial.shop.con
    con.execute(
        "insert into own select * replace (90 as customer_id) from own where customer_id = 3"
    )
    try:
        custseg_duck.refresh(con=con, name=trial.name, fit=fit)
    except custseg_duck.CustsegError as error:
        trial.refused(error, f"refresh {fit}")
        con.execute("delete from own where customer_id = 90")
        if trial.shop.digest() != trial.shop.before:
            trial.figure.failed(TOUCHED, f"{trial.detail}, refresh {fit}")
        return
    finally:
        con.execute("delete from own where customer_id = 90")
    if fit == "frozen":
        found = con.execute(
            "select customer_id, segment from custseg.segments where run_name = $name "
            "and customer_id < 90", {"name": trial.name},
        ).fetchall()  # fmt: skip
        trial.check(found, "refresh frozen")
    else:
        found = con.execute(
            "select count(*) from custseg.segments where run_name = $name and segment is null",
            {"name": trial.name},
        ).fetchall()
        if found != [(0,)]:
            trial.wrong(f"refresh {fit}: NULL")


def _exported(trial: _Trial, folder: Path, suffix: str) -> None:
    """By export and import: the same model, or none."""
    path = folder / f"model{suffix}"
    con = trial.shop.con
    try:
        custseg_duck.export_model(con, path, name=trial.name)
        custseg_duck.import_model(con, path, name="again")
    except custseg_duck.CustsegError as error:
        trial.refused(error, "export")
        return
    finally:
        path.unlink(missing_ok=True)
    models = con.execute(
        "select model::varchar from custseg.models where name in ('again', $name)",
        {"name": trial.name},
    ).fetchall()
    con.execute("delete from custseg.models where name = 'again'")
    if len({model for (model,) in models}) != 1:
        trial.wrong("export and import: another model")


EVERY = {"scored": 1, "told": 2, "exported": 4, "refreshed": 8}  # of so many rows one


def _row(figure: Figure, shop: Shop, folder: Path, number: int, seed: int) -> bool:
    """One corrupted row through the doors; whether the shop was written to."""
    draw = random.Random(f"{seed} {number}")
    name = draw.choice(sorted(shop.good))
    signed = draw.random() < 0.75
    model, what = changed(shop.good[name], draw)
    figure.counts["rows"] += 1
    shop.put(name, model, signed=signed)
    detail = f"seed {seed}, row {number}, {name}{', signed' if signed else ''}, {what}"
    trial = _Trial(figure, shop, name, model, detail)
    try:
        _scored(trial)
        if number % EVERY["told"] == 0:
            _told(trial)
        if number % EVERY["exported"] == 0:
            _exported(trial, folder, draw.choice([".json", ".parquet"]))
        if number % EVERY["refreshed"] == 0:
            _refreshed(trial, draw.choice(["frozen", "warm"]))
    except Exception as error:  # whatever it is, it is none of ours
        figure.failed(UNCLEAR, f"{detail}: {type(error).__name__} {str(error)[:300]}")
    is_written = shop.digest() != shop.before
    shop.restore()
    return is_written


# ---- the trial of a file


class _Payload:
    """What a program that unpickles would execute."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch '{self.canary}'",)


Maker = Callable[[Path, Path, random.Random], Path]  # of a good file without suffix, in a folder


def _flipped(good: Path, folder: Path, draw: random.Random) -> Path:
    suffix = draw.choice([".json", ".parquet"])
    content = bytearray(good.with_suffix(suffix).read_bytes())
    for _ in range(draw.choice([1, 1, 2, 10])):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    return _written(folder, suffix, bytes(content))


def _cut(good: Path, folder: Path, draw: random.Random) -> Path:
    suffix = draw.choice([".json", ".parquet"])
    content = good.with_suffix(suffix).read_bytes()
    return _written(folder, suffix, content[: draw.randrange(len(content))])


def _edited(good: Path, folder: Path, draw: random.Random) -> Path:
    """JSON with a value changed, as a person would; once in a while signed again."""
    content = json.loads(good.with_suffix(".json").read_text())
    content["model"] = changed(content["model"], draw).model
    if draw.random() < 0.3:
        content[draw.choice(sorted(IN_A_FILE))] = draw.choice([None, "x", 7, [], {}])
    return _written(folder, ".json", json.dumps(content).encode())


def _columns(good: Path, folder: Path, draw: random.Random) -> Path:
    table = pq.read_table(good.with_suffix(".parquet"))
    name = draw.choice(table.column_names)
    table = draw.choice([
        table.drop_columns([name]),
        table.append_column("custseg", pa.array(["drop table x"])),
        table.rename_columns([f"{one}'; drop table x; --" for one in table.column_names]),
        pa.concat_tables([table, table]),
        table.slice(0, 0),
        table.set_column(0, "name", pa.array([b"\xff\xfe"])),
    ])  # fmt: skip
    path = folder / "made.parquet"
    pq.write_table(table, path)
    return path


def _pickled(good: Path, folder: Path, draw: random.Random) -> Path:
    payload = pickle.dumps(_Payload(folder / "executed"))
    content = draw.choice([payload, b"PAR1" + payload + b"PAR1"])
    return _written(folder, draw.choice([".parquet", ".json"]), content)


def _deep(good: Path, folder: Path, draw: random.Random) -> Path:
    text = good.with_suffix(".json").read_text()
    depth = draw.choice([100, 10_000, 100_000])
    opened, closed = draw.choice([("[", "]"), ('{"model":', "}")])
    nested = opened * depth + "1" + closed * depth
    return _written(folder, ".json", draw.choice([
        nested, text.replace('"model":{', f'"more":{nested},"model":{{', 1),
        text.replace('"center":[', f'"center":[{nested},', 1),
    ]).encode())  # fmt: skip


def _numbers(good: Path, folder: Path, draw: random.Random) -> Path:
    """JSON with numbers that no type holds, or of another spelling."""
    text = good.with_suffix(".json").read_text()
    number = draw.choice(["1e400", "-1e400", "9" * 400, "0." + "0" * 400 + "1", "NaN", "Infinity",
                          "0x10", "01", "1e", "true", '"1"', '"nan"'])  # fmt: skip
    places = [i for i in range(len(text)) if text.startswith(('"version":', '"center":['), i)]
    place = text.index(":", draw.choice(places)) + 1
    place += text[place] == "["
    end = next(i for i in range(place, len(text)) if text[i] in ",]}")
    return _written(folder, ".json", (text[:place] + number + text[end:]).encode())


def _sheet(good: Path, folder: Path, draw: random.Random) -> Path:
    """Names that a spreadsheet would execute, and CSV that is called JSON."""
    content = json.loads(good.with_suffix(".json").read_text())
    content["name"] = draw.choice(["=cmd|' /C calc'!A0", "@SUM(1)", "+1", "-1", '"; drop table x'])
    text = draw.choice([json.dumps(content), "name,version\n=1+1,1\n", "=1+1"])
    return _written(folder, ".json", text.encode())


def _bomb(good: Path, folder: Path, draw: random.Random) -> Path:
    """A small file of many rows, or of one long list."""
    table = pq.read_table(good.with_suffix(".parquet"))
    path = folder / "made.parquet"
    if draw.random() < 0.5:
        rows = table.take(pa.array(np.zeros(20_000, dtype=np.int64)))
        with pq.ParquetWriter(path, rows.schema, compression="zstd") as writer:
            for _ in range(10):
                writer.write_table(rows)
        return path
    row = table.to_pylist()[0]
    row["model"]["components"][0]["center"] = [0.0] * 3_000_000
    pq.write_table(pa.Table.from_pylist([row], table.schema), path, compression="zstd")
    return path


def _other(good: Path, folder: Path, draw: random.Random) -> Path:
    """What is no file of a model at all."""
    path = folder / f"made{draw.choice(['.json', '.parquet'])}"
    kind = draw.choice(["link", "folder", "empty", "database", "nowhere", "loop", "glob", "device"])
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "device":
        path.symlink_to("/dev/null")
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "folder":
        path.mkdir()
        shutil.copy(good.with_suffix(".json"), path / "x.json")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "database":
        with duckdb.connect(str(folder / "made.duckdb")) as con:
            con.execute("create table t as select 1 as name")
        shutil.move(folder / "made.duckdb", path)
    elif kind == "glob":  # a file that is called like a pattern for another one
        shutil.copy(good.with_suffix(path.suffix), folder / f"a{path.suffix}")
        return _written(folder, path.suffix, b"no model", "[a]")
    return path


def _written(folder: Path, suffix: str, content: bytes, stem: str = "made") -> Path:
    path = folder / f"{stem}{suffix}"
    path.write_bytes(content)
    return path


MAKERS: tuple[Maker, ...] = (
    _flipped, _cut, _edited, _columns, _pickled, _flipped, _deep, _numbers, _sheet, _edited, _other,
    _bomb, _flipped, _cut, _other,
)  # fmt: skip


def _file(figure: Figure, shop: Shop, good: dict[str, Path], number: int, seed: int) -> None:
    """One file: imported, it is refused and changes nothing, or is the model that it was."""
    draw = random.Random(f"{seed} file {number}")
    make, name = MAKERS[number % len(MAKERS)], draw.choice(sorted(good))
    figure.counts["files"] += 1
    detail = f"seed {seed}, file {number}, {name}, {make.__name__[1:]}"
    with tempfile.TemporaryDirectory() as place:
        path = make(good[name], Path(place), draw)
        before = shop.con.execute("from custseg.models order by all").fetchall()
        try:
            custseg_duck.import_model(shop.con, path, name="taken")
        except custseg_duck.CustsegError as error:
            figure.counts["refusals"] += 1
            if not is_clear(error):
                figure.failed(UNCLEAR, f"{detail}: {str(error)[:300]}")
        except Exception as error:  # whatever it is, it is none of ours
            figure.failed(UNCLEAR, f"{detail}: {type(error).__name__} {str(error)[:300]}")
        else:
            figure.counts["files of whole models"] += 1
            models = shop.con.execute(
                "select model::varchar from custseg.models where name in ('taken', $name)",
                {"name": name},
            ).fetchall()
            if len({model for (model,) in models}) != 1:
                figure.failed(WRONG, f"{detail}: another model was taken in")
            shop.con.execute("delete from custseg.models where name = 'taken'")
        if (Path(place) / "executed").exists():
            figure.failed(EXECUTED, detail)
    after = shop.con.execute("from custseg.models order by all").fetchall()
    if str(after) != str(before) or shop.digest() != shop.before:
        figure.failed(TOUCHED, detail)
        shop.restore()


# ---- all of it


def make_shop(path: Path) -> None:
    """The database with a good model of each kind."""
    with custseg_duck.connect(path) as con:
        con.execute(OWN.format(hostile=FEATURES[4].replace('"', '""')))
        for name, options in RUNS.items():
            custseg_duck.run(features="own", con=con, name=name, **QUICK | options)


def tried(n: int, *, seed: int) -> Figure:
    """``n`` rows and files, three of five of them rows."""
    figure = Figure(must_be_zero=(EXECUTED, WRONG, UNCLEAR, TOUCHED))
    figure.counts.update({"rows": 0, "files": 0, "refusals": 0})
    n_rows = n * 3 // 5
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore", custseg_duck.CustsegWarning)
        folder = Path(place)
        make_shop(folder / "good.duckdb")
        for first in range(0, max(n_rows, 1), 100):  # a new database now and then: runs add up
            _rows(figure, folder, range(first, min(first + 100, n_rows)), seed)
        _files(figure, folder, n - n_rows, seed)
    return figure


@contextlib.contextmanager
def _shop(folder: Path) -> Iterator[Shop]:
    shutil.copy(folder / "good.duckdb", folder / "shop.duckdb")
    with custseg_duck.connect(folder / "shop.duckdb") as con:
        con.execute("create table x as select 1 as kept")
        yield Shop(con)
    (folder / "shop.duckdb").unlink()


def _rows(figure: Figure, folder: Path, numbers: range, seed: int) -> None:
    left = list(numbers)
    while left:
        with _shop(folder) as shop:
            while left:
                if _row(figure, shop, folder, left.pop(0), seed):
                    break  # a refresh went through: on with the models as they were


def _files(figure: Figure, folder: Path, n: int, seed: int) -> None:
    with _shop(folder) as shop:
        good = {}
        for name in RUNS:
            good[name] = folder / f"good {name}"
            for suffix in (".json", ".parquet"):
                custseg_duck.export_model(shop.con, good[name].with_suffix(suffix), name=name)
        for number in range(n):
            _file(figure, shop, good, number, seed)
