"""Draws calls: a macro or a function with good arguments, of which mostly one is bad.

By the random numbers of Python, not by hypothesis: nothing is made smaller here, and hypothesis
varies what it drew before, so that two of five calls would be the same and a third of functions.
"""

import inspect
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

import custseg_duck
from custseg_duck import catalog, documentation
from custseg_duck.documentation import Header
from custseg_duck.statements import quote_text
from tests.hard.calling import world

HEADERS = tuple(documentation.header(path) for path in catalog.MACROS if path not in catalog.PARTS)
BY_NAME = {header.name: header for header in HEADERS}
# Of these calls take some tenths of a second, or seconds
COSTLY = {"k_sweep": 2, "feature_drift": 3, "level_rules": 3, "mine_rules": 4,
          "recommendation_metrics": 3, "model_metrics": 4}  # fmt: skip
PYTHON_SHARE = 0.03

# What is good to give for an option or an argument of this name, as SQL; else its default is
CHOICES: dict[str, tuple[str, ...]] = {
    "item": ("'product_id'", "'category'", "'department'", "'item'", "'product_name'"),
    "returns": ("'net'", "'drop'"),
    "duplicates": ("'keep'", "'drop'"),
    "empty_lines": ("'keep'", "'drop'"),
    "time_zone": ("null", "'Europe/Berlin'", "'UTC'"),
    "since": ("null", "date '2024-01-05'", "'2024-01-03 10:00'"),
    "as_of": ("null", "date '2024-03-01'", "'2024-02-01'", "timestamptz '2024-02-01'"),
    "exclude_items": ("null", "[1, 2]", "['1']"),
    "n_bins": ("2", "3", "5", "9"),
    "include": ("null", "['frequency', 'monetary']", "['recency_days', 'department_share']"),
    "exclude": ("null", "['frequency']", "['department_share']"),
    "weights": ("null", "map {'monetary': 2.0}", "{'frequency': 0.5}"),
    "transforms": ("null", "map {'monetary': 'log'}", "{'frequency': 'identity'}"),
    "k": ("1", "2", "3", "5"),
    "seed": ("0", "1", "4294967295"),
    "covariance_type": ("'full'", "'tied'", "'diag'", "'spherical'"),
    "transform": ("null", "(select any_value(transform) from vectors)"),
    "model_name": ("'default'", "'mixture'", "'mine'"),
    "model_version": ("null", "1"),
    "of_run": ("'default'", "'mixture'"),
    "run_name": ("'default'",),
    "min_support": ("0.03", "0.1", "1.0"),
    "min_count": ("null", "2", "5"),
    "max_length": ("2", "3", "null"),
    "containing": ("null", "[1]", "['1']"),
    "max_pairs": ("10000000",),
    "max_candidates": ("10000000", "1000"),
    "on_limit": ("'error'", "'truncate'"),
    "min_confidence": ("0", "0.1", "1"),
    "measure": ("'lift'", "'confidence'", "'leverage'", "'zhangs_metric'"),
    "top": ("null", "3"),
    "levels": ("['product_id', 'department']", "['category']"),
    "kind": ("null", "'up-sell'", "'cross-sell'"),
    "basket": ("[1, 2, 3]", "['1', '4']", "[]"),
    "which": ("3", "'3'", "999"),
    "wanted": ("null", "['0']", "['0', '2']"),
    "ks": ("[2]", "[1, 2]"),
    "n_bootstraps": ("1", "2"),
    "algorithms": ("['kmeans']", "['gmm', 'kmeans']"),
    "covariance_types": ("['diag']", "['full', 'tied']"),
    "contamination": ("0.01", "0.1", "0.5"),
    "max_depth": ("1", "4", "10"),
    "sample_size": ("1", "10", "2000"),
    "within_days": ("1", "30"),
    "max_values": ("2", "50"),
    "n": ("1", "3", "20"),
    "topic": ("null", "'rfm'"),
}
NUMBERS = tuple(str(n) for n in (0, 1, 2, 3, 5, 8, 13, 50, 400, 10_000, 10**9))
# Arguments of functions that are columns: the relations that have them
COLUMNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "model": ("model", ("plain_models", "one_model", "models", "mixtures")),
    "previous": ("model", ("one_model", "plain_models", "models")),
    "features": ("features", ("vectors",)),
    "transform": ("transform", ("vectors",)),
    "matches": ("matches", ("matches",)),
}
ODD_SQL = (
    "null", "true", "[]", "[null]", "[[1.0], [1.0, 2.0]]", "[1.0, null]", "['a', null]", "{}",
    "{'a': 1}", "{'name': null}", "map {}", "map {'monetary': 'nan'::double}",
    "map {'frequency': 0}", "map {null: 1}", "['nan'::double]", "[1.0, 'inf'::double]", "1, 2",
    "(select 1 where false)", "(select 1 union all select 2)", "$$x$$", "array[1, 2]", "''::blob",
    "interval 1 day", "date 'infinity'", "uuid()", "1.5", "'2'", "lambda x: x", "x", "*", "",
    "[0]", "[-1]", "[100000]", "['gmm', null]", "[null]::varchar[]", "range(3)", "'a'::json",
    "(select any_value(transform) from vectors)", "default", "1 / 0", "-1::utinyint",
    "repeat('9', 400)::double", "'x'::varchar[]", "custseg.version()",
)  # fmt: skip
ODD_RELATIONS = (
    "'missing'", "''", "null", "42", "'all_types'", "'no_rows'", "'lines; drop table lines'",
    "'\"lines\"'", "'\"a\"\"b\"'", "'main.lines'", "'nowhere.main.lines'", "'a.b.c.d.e'", "lines",
    "['lines']", "'custseg.models'", "'custseg.runs'", "'information_schema.tables'", "'x.csv'",
    "'x.parquet'", "'/etc/passwd'", "'(select 1)'", "'range(3)'", "'\N{SNOWMAN}'", "' '", "'{}'",
    "'custseg.rfm'", "'duckdb_tables'", "(select 'lines')", "'li' || 'nes'", "true", "'LINES'",
)  # fmt: skip


@dataclass(frozen=True)
class Call:
    """What is called: SQL, or a Python function with keyword arguments.

    about : the name of the macro or function; relations : those that the text names and that may
    have to be made; arguments : of a function
    """

    about: str
    text: str
    relations: tuple[str, ...] = ()
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def is_python(self) -> bool:
        """Whether it is a function of the package."""
        return not self.text.startswith(("from ", "select "))


def all_types_as_sql(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Every value of DuckDB's types, lowest, highest and NULL, as SQL."""
    found = []
    for column, kind, *_ in con.execute("describe from test_all_types()").fetchall():
        for (text,) in con.execute(f'select "{column}"::varchar from test_all_types()').fetchall():
            value = "null" if text is None else quote_text(text)
            sql = f"cast({value} as {kind})"
            try:
                con.execute(f"select {sql}").fetchall()
            except duckdb.Error:
                continue  # a text that its type cannot read again
            found.append(sql)
    return tuple(found)


class Drawing:
    """What is drawn of."""

    def __init__(self, types: Sequence[str]) -> None:
        numbers = tuple(
            f"'{value}'::double" if "n" in f"{value}" else f"{value!r}::double"
            for value in world.ODD_NUMBERS
        )
        texts = tuple(quote_text(text) for text in world.ODD_TEXTS)
        whole = tuple(str(number) for number in world.ODD_INTEGERS)
        self._odd = (ODD_SQL, numbers, whole, texts, tuple(types))
        self._weights = [
            COSTLY.get(header.name, 10 if header.is_table else 25) for header in HEADERS
        ]

    def call(self, rng: random.Random) -> Call:
        """A call of anything."""
        if rng.random() < PYTHON_SHARE:
            return _python_call(rng, rng.choice(list(FUNCTIONS)))
        (header,) = rng.choices(HEADERS, self._weights)
        return self.macro_call(rng, header, rng.choice((0, 0, 1, 1, 1, 1, 2, 3)))

    def macro_call(self, rng: random.Random, header: Header, n_bad: int) -> Call:
        """A call of a macro with so many bad arguments."""
        names = [*header.required * 3, *header.optional]
        bad = set(rng.choices(names, k=n_bad)) if names else set()
        return (_table_call if header.is_table else _scalar_call)(rng, self, header, bad)

    def odd(self, rng: random.Random) -> str:
        """SQL that is hardly good for anything."""
        return rng.choice(rng.choice(self._odd))


def _table_call(rng: random.Random, drawing: Drawing, header: Header, bad: set[str]) -> Call:
    relations: list[str] = []
    written = []
    for name in header.required:
        written.append(_argument(rng, drawing, name, name in bad, relations))
    for name, default in header.optional.items():
        if name not in bad and rng.random() < 0.6:
            continue
        left = world.LEFT_BY_RUNS.match(default)
        if left and name in bad:
            value = _relation(rng, (world.copy_of(left[1]),), True, relations)
        elif name in bad or name in CHOICES:
            value = _argument(rng, drawing, name, name in bad, relations)
        else:
            value = default
        written.append(f"{name} := {value}")
    return Call(header.name, f"from custseg.{header.name}({', '.join(written)})", tuple(relations))


def _argument(
    rng: random.Random, drawing: Drawing, name: str, is_bad: bool, relations: list[str]
) -> str:
    if name in world.RELATIONS:
        return _relation(rng, world.RELATIONS[name], is_bad, relations)
    if is_bad:
        return drawing.odd(rng)
    if name in CHOICES:
        return rng.choice(CHOICES[name])
    return _relation(rng, tuple(world.GOOD), False, relations)


def _relation(rng: random.Random, bases: Sequence[str], is_bad: bool, relations: list[str]) -> str:
    if is_bad and rng.randint(0, 6) == 0:
        return rng.choice(ODD_RELATIONS)
    return quote_text(_table(rng, bases, is_bad, relations))


def _table(rng: random.Random, bases: Sequence[str], is_bad: bool, relations: list[str]) -> str:
    name = rng.choice(bases)
    if is_bad:
        if rng.randint(0, 9) == 0:
            name = rng.choice(tuple(world.GOOD))
        kind = rng.choice(KINDS)
        number = 0 if kind in world.OF_ALL else rng.randint(0, 39)
        name = world.spoiled_name(name, kind, number)
    relations.append(name)
    return name


KINDS = (*world.OF_ALL, *world.OF_COLUMN, *world.OF_VALUE * 15)


def _scalar_call(rng: random.Random, drawing: Drawing, header: Header, bad: set[str]) -> Call:
    relations: list[str] = []
    sources: list[str] = []
    written, arguments = [], []
    for name in (*header.required, *header.optional):
        if name in header.optional and name not in bad and rng.random() < 0.5:
            continue
        value = _scalar_argument(rng, drawing, name, name in bad, relations, sources)
        written.append(f"{name} := {value}" if name in header.optional else value)
        if name in header.required:
            arguments.append(f"({value}) is null")
    nulls = "" if "aggregate" in header.summary else f"[{', '.join(arguments)}] as nulls, "
    reads = f" from {' cross join '.join(sources)}" if sources else ""
    return Call(
        header.name,
        f"select {nulls}custseg.{header.name}({', '.join(written)}) as result{reads}",
        tuple(relations),
    )


def _scalar_argument(
    rng: random.Random,
    drawing: Drawing,
    name: str,
    is_bad: bool,
    relations: list[str],
    sources: list[str],
) -> str:
    if name in COLUMNS and (not is_bad or rng.randint(0, 2)):
        column, bases = COLUMNS[name]
        table = _table(rng, bases, is_bad, relations)
        sources.append(f"{table} as r{len(sources)}")
        return f"r{len(sources) - 1}.{column}"
    if is_bad:
        return drawing.odd(rng)
    return rng.choice(CHOICES.get(name, NUMBERS))


# --- functions of the package ---------------------------------------------------------

FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(custseg_duck, name)
    for name in custseg_duck.__all__
    if inspect.isfunction(getattr(custseg_duck, name))
}


def print_nothing(*_: object) -> None:
    """Good for progress."""


ODD_PYTHON: tuple[Any, ...] = (
    None, True, False, object, object(), b"x", (), [], {}, [None], [[]], {"a": None}, {None: None},
    {1: 2}, {"monetary": "nan"}, {"frequency": -1.0}, set(), range(3), 1j, ["frequency", "missing"],
    ["a", 1, None], "a\0b", "\udcff", "auto", lambda *_: 1 / 0, 10**400, -(10**400), type, ...,
    *world.ODD_TEXTS, *world.ODD_NUMBERS, *world.ODD_INTEGERS,
)  # fmt: skip
PATHS = ("out.parquet", "out.json", "out.csv", "out.html", "out.duckdb")
GOOD_PYTHON: dict[str, tuple[Any, ...]] = {
    "source": ("lines", "plain_lines", "undated_lines", "main.lines"),
    "features": (None, "own_features", "features"),
    "columns": (None, {}, {"customer_id": "customer_id"}),
    "name": ("default", "mixture", "other"),
    "k": (1, 2, 3, "auto"),
    "seed": (0, 1),
    "include": (None, ["frequency", "monetary"]),
    "exclude": (None, ["frequency"]),
    "weights": (None, {"monetary": 2.0}),
    "transforms": (None, {"monetary": "log"}),
    "algorithm": ("kmeans", "gmm"),
    "covariance_type": ("full", "diag"),
    "min_support": (0.05, 0.2),
    "min_count": (None,),
    "max_length": (2, 3, None),
    "item": ("product_id", "category"),
    "decision_rules": (False, True),
    "segment_rules": (False, True),
    "n_recommendations": (0, 1),
    "since": (None, "2024-01-05"),
    "as_of": (None, "2024-03-01"),
    "exclude_items": (None, [1]),
    "returns": ("net", "drop"),
    "duplicates": ("keep", "drop"),
    "empty_lines": ("drop", "keep"),
    "time_zone": (None, "Europe/Berlin"),
    "fit": ("warm", "matched", "frozen"),
    "path": (*PATHS, "missing/out.parquet", "folder", "good.json", "good.parquet", "out.txt"),
    "version": (None, 1),
    "title": (None, "Shop"),
    "segments": (None, [0], ["1", 2]),
    "into": ("mined", '"my table"', "main.mined"),
    "containing": (None, [1]),
    "tables": ((), ("lines",)),
    "overwrite": (True,),
    "persist": (True, False),
    "keep_tables": (True, False),
    "temporary": (True, False),
    "read_only": (False, True),
    "progress": (None, print_nothing),
    "max_fit_bytes": (None, 10**9),
}  # fmt: skip
# What a call without them would take for its work
QUICK: dict[str, Any] = {
    "k": 2, "min_support": 0.1, "decision_rules": False, "segment_rules": False,
    "n_recommendations": 0,
}  # fmt: skip


def _python_call(rng: random.Random, name: str) -> Call:
    parameters = {
        parameter.name: parameter
        for parameter in inspect.signature(FUNCTIONS[name]).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    options = [one for one in parameters if one != "con"]
    bad = rng.choice([None] * max(len(options), 1) + ["con", *options * 3])
    if bad == "con" and "con" not in parameters:
        bad = None
    relations: list[str] = []
    arguments: dict[str, Any] = {}
    for option in options:
        is_needed = parameters[option].default is inspect.Parameter.empty or option == "source"
        if option == bad:
            arguments[option] = _odd_python(rng, option, relations)
        elif is_needed or rng.randint(0, 9) == 0:
            default = parameters[option].default
            arguments[option] = rng.choice(GOOD_PYTHON.get(option, (default,)))
        elif name in ("run", "refresh") and option in QUICK and option in parameters:
            arguments[option] = QUICK[option]
    if name == "refresh" and "source" in arguments and bad != "source" and rng.random() < 0.5:
        del arguments["source"]
    if bad == "con":
        arguments["con"] = rng.choice((None, 42, "shop.duckdb", "closed"))
    return Call(name, _shown(name, arguments), tuple(relations), arguments)


def _odd_python(rng: random.Random, option: str, relations: list[str]) -> Any:
    if option in ("source", "features") and rng.randint(0, 2):
        bases = ("lines", "plain_lines") if option == "source" else ("own_features", "features")
        return _table(rng, bases, True, relations)
    if option == "progress":  # what it raises is the caller's own
        return rng.choice([value for value in ODD_PYTHON if not callable(value)])
    return rng.choice(ODD_PYTHON)


def _shown(name: str, arguments: dict[str, Any]) -> str:
    written = ", ".join(f"{key}={value!r}"[:200] for key, value in arguments.items())
    return f"{name}({re.sub(r' at 0x[0-9a-f]+', '', written)})"
