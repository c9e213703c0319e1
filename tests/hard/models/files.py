"""The trial of a file: refused without a trace, or the model that it was."""

# ruff: noqa: ARG001 (what goes through a table of functions takes what all of them take)

import json
import os
import pickle
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import custseg_duck
from custseg_duck.models import IN_A_FILE
from tests.hard.figure import Figure
from tests.hard.models.changes import changed
from tests.hard.models.shop import EXECUTED, TOUCHED, UNCLEAR, WRONG, Shop, is_clear


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


def try_file(figure: Figure, shop: Shop, good: dict[str, Path], number: int, seed: int) -> None:
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
