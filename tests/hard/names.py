"""Names are only names: of tables, columns, items, runs, models, databases and files.

Every name goes through some of ``DOORS`` in a folder, a database and a program full of canaries:
files, tables, a second database and data frames, which a name that is taken for SQL, for a path or
for a variable would read or touch, and whose content must never appear in anything that comes out.
Tables named after every CTE and temporary table of ours are read by ``run`` beside them.
"""

# ruff: noqa: ARG001 (what goes through a table of functions takes what all of them take)

import contextlib
import csv
import hashlib
import html.parser
import io
import itertools
import json
import os
import random
import re
import shutil
import string
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from click.testing import CliRunner

import custseg_duck
from custseg_duck import catalog
from custseg_duck.cli import main as command
from custseg_duck.statements import features_of_run, is_path, is_reserved, quote_name, quote_text
from tests.hard import hostile
from tests.hard.figure import Figure

PROMISED = 1_000

TAKEN, TOUCHED, CHANGED = "names taken for SQL", "canaries read or touched", "names changed"
MARKS = re.compile(r"zq(FILE|PYTHON|OTHER|TWIN|TABLE)zq")
QUICK: dict[str, Any] = {
    "k": 2, "decision_rules": False, "segment_rules": False, "n_recommendations": 0,
    "max_length": 2, "min_support": 0.2,
}  # fmt: skip
# DuckDB folds these letters, and no others, in the names of its objects
FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
LINES = """
    select
        {customer} || customer as customer_id,
        customer * 100 + visit as order_id,
        {product} || (hash(customer, visit, line) % 5) as product_id,
        timestamp '2024-01-01' + interval (visit * (1 + customer % 3)) day as ordered_at,
        1 + line as quantity,
        (5 + customer % 3 * 20 + line)::decimal(10, 2) as amount,
        {department} || (hash(customer, visit, line) % 2) as department,
        {product} || (hash(customer, visit, line) % 5) as product_name,
    from range(12) as customers (customer)
    cross join range(3) as visits (visit)
    cross join range(2) as lines (line)
"""
OWN = """
    select 'c' || customer as customer_id, {columns}
    from range(12) as customers (customer)
"""

# What DuckDB's replacement scans would find in a program: globals here, locals in the doors
canary_frame = pa.table({"customer_id": ["zqPYTHONzq"], "order_id": [1], "product_id": [1]})
CANARY_TABLE = canary_frame
TABLES = (  # that are there, as their names may be written
    "x", "canary", "shop.main.canary", "order_lines", "own", "custseg.segments",
    "other.main.order_lines", "other.custseg.segments",
)  # fmt: skip


class ChangedError(AssertionError):
    """Something came out otherwise than it was put in."""


def lines_sql(customer: str = "c", product: str = "p", department: str = "d") -> str:
    """The query of order lines whose values begin with these texts."""
    return LINES.format(
        customer=quote_text(customer),
        product=quote_text(product),
        department=quote_text(department),
    )


def fold(name: str) -> str:
    """A name as DuckDB compares it."""
    return name.translate(FOLD)


def same(found: object, expected: object, what: str) -> None:
    """Refuse what is not as it was put in."""
    if found != expected:
        raise ChangedError(f"{what}: {str(found)[:300]!r} instead of {str(expected)[:300]!r}")


class TakenError(Exception):
    """DuckDB has an object of this name already, so there is nothing to try."""


class World:
    """A folder, which is the current one, and a connection to a shop, full of canaries."""

    def __init__(self, template: Path, folder: Path) -> None:
        shutil.copytree(template, folder)
        os.chdir(folder)
        self.con = custseg_duck.connect("shop.duckdb")
        self.con.execute("attach 'other.duckdb' as other")
        self.before = self.state()

    def state(self) -> dict[str, object]:
        """What no name may change: files, tables and what is in the canaries."""
        tables = self.con.execute(
            "select database_name, schema_name, table_name from duckdb_tables() "
            "where schema_name <> 'custseg' or database_name <> 'shop' "
            "union all select database_name, schema_name, view_name from duckdb_views() "
            "where not internal and (schema_name <> 'custseg' or database_name <> 'shop') "
            "union all select database_name, schema_name, '' from duckdb_schemas() "
            "where not internal order by all"
        ).fetchall()
        contents = [
            self.con.execute(
                f"select count(*), bit_xor(hash(one::varchar)) from {table} as one"
            ).fetchall()
            for table in ("shop.main.x", "shop.main.canary", "shop.main.order_lines",
                          "shop.main.own", "other.main.order_lines", "other.custseg.segments",
                          "other.custseg.customer_features")
        ]  # fmt: skip
        files = {
            path.as_posix(): None
            if path.name.startswith(("shop.duckdb", "other.duckdb"))
            else hashlib.sha256(path.read_bytes()).hexdigest()
            for path in Path().rglob("*")
            if path.is_file() and not path.name.endswith(".wal")
        }
        used = self.con.execute("select current_database(), current_schema()").fetchall()
        return {"tables": tables, "contents": contents, "files": files, "used": used}

    @contextlib.contextmanager
    def table(self, name: str, query: str, temporary: bool = False) -> Iterator[str]:
        """A table of this name, and its twin that another folding would take it for."""
        place = f"{'temp' if temporary else 'shop'}.main.{quote_name(name)}"
        existing = "select 1 from duckdb_tables() where table_name = ? and schema_name = 'main'"
        if self.rows(existing, [fold(name)]):
            raise TakenError(name)
        kind = "temp table" if temporary else "table"
        self.con.execute(f"create {kind} {place} as {query}")
        twins = {name.upper(), name.lower(), name.casefold()} - {name}
        made = {fold(twin): twin for twin in twins if fold(twin) != fold(name)}
        for twin in made.values():
            self.con.execute(
                f"create table shop.main.{quote_name(twin)} as {lines_sql('zqTWINzq')}"
            )
        try:
            yield place
        finally:
            for one in (place, *(f"shop.main.{quote_name(twin)}" for twin in made.values())):
                self.con.execute(f"drop table {one}")

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a query gives."""
        return self.con.execute(query, list(parameters)).fetchall()

    def results(self) -> str:
        """All that runs left, as one text."""
        found = []
        for table in catalog.TABLES:
            if self.rows("select 1 from duckdb_tables() where database_name = 'shop' "
                         "and schema_name = 'custseg' and table_name = ?", [table]):  # fmt: skip
                found += self.rows(f"select one::varchar from shop.custseg.{table} as one")
        return "\n".join(text for (text,) in found)

    def close(self) -> None:
        """Let go of the databases."""
        self.con.close()


Door = Callable[[World, str, random.Random], object]


def make_template(folder: Path) -> None:
    """The files that every world begins with."""
    folder.mkdir()
    for path, mark in (("shop.duckdb", "c"), ("other.duckdb", "zqOTHERzq")):
        with custseg_duck.connect(folder / path) as con:
            department = "d" if mark == "c" else mark
            con.execute(f"create table order_lines as {lines_sql(mark, mark, department)}")
            custseg_duck.run("order_lines", con=con, **QUICK)
            if mark == "c":
                con.execute("create table x as select 'zqTABLEzq' as kept")
                con.execute("create table canary as select 'zqTABLEzq' as kept")
                con.execute("create table own as " + OWN.format(
                    columns="customer % 4 as visits, (customer * 7) % 5 as spend"))  # fmt: skip
            else:
                for table in ("x", "canary", "own", "own_lines"):
                    con.execute(f"create table {table} as from order_lines")
    with duckdb.connect() as con:
        lines = con.sql(lines_sql("zqFILEzq", "zqFILEzq", "zqFILEzq")).to_arrow_table()
    for place in (folder, folder / "sub"):
        place.mkdir(exist_ok=True)
        pq.write_table(lines, place / "canary.parquet")
        pyarrow.csv.write_csv(lines, place / "canary.csv")
        for other in ("canary", "x", "tea"):  # files that are called like tables
            shutil.copy(place / "canary.csv", place / other)
        (place / "canary.json").write_text(json.dumps([{"customer_id": "zqFILEzq"}]))


# ---- doors: each takes a name in, and holds what comes out against what was put in


CUSTOMERS = {f"c{number}" for number in range(12)}


def _customers(world: World, run_name: str = "default") -> set[str]:
    return {
        one for (one,) in world.rows(
            "select customer_id from shop.custseg.segments where run_name = ?", [run_name]
        )
    }  # fmt: skip


def source(world: World, name: str, draw: random.Random) -> object:
    """A table of this name, as it is or in quotes, is the one that run reads."""
    temporary = draw.random() < 0.2 and not is_reserved(name)
    written = quote_name(name) if is_path(name) or draw.random() < 0.3 else name
    with world.table(name, lines_sql("s"), temporary):
        custseg_duck.run(written, con=world.con, **QUICK)
    same(_customers(world), {f"s{number}" for number in range(12)}, "customers")
    ((said,),) = world.rows("select source from shop.custseg.runs order by run_id desc limit 1")
    same(said.startswith(written), True, f"what the run says it read, {said!r}")
    return world.results()


def missing(world: World, name: str, draw: random.Random) -> object:
    """Without such a table it is refused, unless it is the path of data that is there."""
    canary_table = canary_frame  # what a replacement scan would find in a caller
    argument = draw.choice(["source", "features", "itemsets", "mapping"])
    try:
        if argument == "itemsets":
            custseg_duck.frequent_itemsets(name, con=world.con, temporary=True, into="made")
            world.con.execute("drop table temp.made")
        else:
            given = {"lines": name} if argument == "mapping" else name
            key = "features" if argument == "features" else "source"
            custseg_duck.run(**{key: given}, con=world.con, **QUICK)
    except custseg_duck.CustsegError as error:
        return _refused(error)
    is_data = is_path(name) or (argument == "source" and os.path.isdir(name))
    is_table = fold(name).strip(' ";') in TABLES
    same(is_data or is_table, True, f"{argument} without a table {del_mark(canary_table)}")
    # reading a file by its path, or a table by its name, is what was asked for
    custseg_duck.run("order_lines", con=world.con, **QUICK)
    return None


def plainly(text: str) -> str:
    """A text without what repr, or SQL in a list, writes otherwise."""
    return "".join(one for one in text if one.isalnum())


def del_mark(table: object) -> str:
    """A frame in words, so that the variable is in use until the end of a door."""
    return type(table).__name__


def columns(world: World, name: str, draw: random.Random) -> object:
    """Columns of these names are mapped to the canonical ones."""
    product = name + "2"
    twins = [twin for twin in {name.upper(), name.lower()} if fold(twin) != fold(name)]
    decoys = "".join(f", 'zqTWINzq' as {quote_name(twin)}" for twin in twins[:1])
    query = (
        f"select customer_id as {quote_name(name)}, product_id as {quote_name(product)}, order_id, "
        f"amount, ordered_at{decoys} from order_lines"
    )
    mapping = {"customer_id": name, "product_id": product}
    if draw.random() < 0.5:
        mapping = {"product_id": product, "customer_id": name}
    with world.table("mapped", query):
        custseg_duck.run("mapped", con=world.con, columns=mapping, **QUICK)
    same(_customers(world), CUSTOMERS, "customers")
    ((kept,),) = world.rows(
        "select options['columns'] from shop.custseg.runs order by run_id desc limit 1"
    )
    same(json.loads(kept), mapping, "options")
    return world.results()


def columns_missing(world: World, name: str, draw: random.Random) -> object:
    """A column that is not there is named as it was given."""
    asked = draw.choice(["columns", "item", "include", "exclude", "weights", "transforms"])
    given: dict[str, Any] = {
        "columns": {"columns": {"customer_id": name}},
        "item": {"item": name},
        "include": {"include": [name]},
        "exclude": {"exclude": [name]},
        "weights": {"weights": {name: 2.0}},
        "transforms": {"transforms": {name: "log"}},
    }[asked]
    try:
        if asked == "item":
            custseg_duck.frequent_itemsets("order_lines", con=world.con, temporary=True, **given)
        else:
            custseg_duck.run("order_lines", con=world.con, **QUICK | given)
    except custseg_duck.CustsegError as error:
        return _refused(error)
    known = {"customer_id", "order_id", "product_id", "department_share", "amount", "label"}
    same(fold(name) in known or asked == "item", True, f"{asked} accepted")
    world.con.execute("drop table if exists temp.itemsets")
    return None


def run_name(world: World, name: str, draw: random.Random) -> object:
    """A run of this name: all that reads it finds this run, and it alone."""
    con = world.con
    custseg_duck.run(features="own", con=con, name=name, **QUICK)
    for table, column in (("segments", "run_name"), ("models", "name"), ("runs", "run_name")):
        found = world.rows(f"select distinct {column} from shop.custseg.{table} order by all")
        same({one for (one,) in found}, {"default", name}, table)
    same(custseg_duck.refresh(con=con, name=name).is_unchanged, True, "refresh finds nothing new")
    same(
        world.rows("select count(*) from custseg.target_list(of_run := ?)", [name]), [(12,)], "list"
    )
    same(custseg_duck.export_targets(con, "made.csv", name=name), 12, "targets")
    found = world.rows("select distinct segment from custseg.explain('c1', of_run := ?)", [name])
    same(len(found), 1, "explain")
    scored = world.rows("select count(segment) from custseg.score('own', ?)", [name])
    same(scored, [(12,)], "score")
    shown = [_json(["show", "runs", "--name", name, "-d", "shop.duckdb", "--format", "json"])]
    same({row["run_name"] for row in shown[0]}, {name}, "the command's JSON")
    told = {finding.what: finding.status for finding in custseg_duck.self_check(con)}
    same(told[f"run {name!r}: segments against the model"], "ok", "the check in place")
    same(custseg_duck.drop_model(con, name=name), 1, "models dropped")
    path = Path("made.csv").read_text(encoding="utf-8")
    Path("made.csv").unlink()
    return world.results(), shown, path


def run_missing(world: World, name: str, draw: random.Random) -> object:
    """Where there is no run, model or segment of this name, that is said with the name in it."""
    con = world.con
    if world.rows("select 1 from custseg.runs where run_name = ?", [name]):
        return None
    calls: list[Callable[[], object]] = [
        lambda: custseg_duck.refresh(con=con, name=name),
        lambda: custseg_duck.export_model(con, "made.json", name=name),
        lambda: custseg_duck.drop_model(con, name=name),
        lambda: custseg_duck.export_targets(con, "made.csv", segments=[name]),
        lambda: custseg_duck.export_targets(con, "made.csv", name=name),
        lambda: custseg_duck.export_report(con, "made.html", name=name),
        lambda: custseg_duck.export(con, "made.duckdb", tables=[name]),
    ]
    for call in calls:
        try:
            call()
        except custseg_duck.CustsegError as error:
            shown = _refused(error)
            is_said = any(plainly(one) in plainly(shown) for one in (name, repr(name)))
            same(is_said or is_path(name), True, f"the name in the error {shown!r}")
        else:
            same(fold(name).strip(' ";') in (*TABLES, "0", "1"), True, "a call")
            for left in Path().glob("made.*"):
                left.unlink()
    return None


def values(world: World, name: str, draw: random.Random) -> object:
    """Items, departments and customers of these names are the same in all that comes out."""
    con = world.con
    with world.table("own_lines", lines_sql(name, name, name)):
        custseg_duck.run(
            "own_lines", con=con, **QUICK | {"n_recommendations": 2, "segment_rules": True},
            exclude_items=[name + "0"],
        )  # fmt: skip
        offered = world.rows("select count(*) from custseg.baskets('own_lines')")
    same(_customers(world), {f"{name}{number}" for number in range(12)}, "customers")
    items = {f"{name}{number}" for number in range(1, 5)}
    found = world.rows("select distinct unnest(items) from custseg.itemsets")
    same({item for (item,) in found} <= items and bool(found), True, f"items {found}")
    rules = world.rows("select distinct unnest(antecedents || consequents) from custseg.rules")
    same({item for (item,) in rules} <= items, True, "items of rules")
    ((trimmed,),) = world.rows("select list_transform([?, ?], lambda one: trim(one))",
                               [name + "0", name + "1"])  # fmt: skip
    departments = {one for (one,) in world.rows(
        "select distinct department from custseg.segment_profiles where department is not null"
    )}  # fmt: skip
    same(departments <= set(trimmed) and bool(departments), True, f"departments {departments}")
    explained = world.rows("select count(*) > 0 from custseg.explain(?)", [name + "3"])
    same(explained, [(True,)], "explain")
    read = list(csv.DictReader(io.StringIO(_command(
        ["show", "itemsets", "-d", "shop.duckdb", "--format", "csv"]), newline="")))  # fmt: skip
    shown = {item for row in read for item in json.loads(row["items"])}
    same(shown, {item for (item,) in found}, "the command's CSV")
    beside = _json(["show", "itemsets", "-d", "shop.duckdb", "--format", "json"])
    same({item for row in beside for item in row["items"]}, shown, "the command's JSON")
    custseg_duck.export_targets(con, "made.csv")
    told = list(csv.DictReader(io.StringIO(Path("made.csv").read_bytes().decode(), newline="")))
    same({row["customer_id"] for row in told}, _customers(world), "the file of targets")
    Path("made.csv").unlink()
    return world.results(), offered, read, _command(["show", "-d", "shop.duckdb"])


def features(world: World, name: str, draw: random.Random) -> object:
    """Features of these names: in the model, in its file, and in the CASE, which is executed."""
    con = world.con
    second = name + "2"
    twins = [twin for twin in {name.upper(), name.lower()} if fold(twin) != fold(name)]
    decoys = "".join(f", -customer as {quote_name(twin)}" for twin in twins[:1])
    query = OWN.format(columns=(
        f"(customer * 7) % 5 as {quote_name(name)}, customer % 4 as {quote_name(second)}{decoys}, "
        f"map {{{quote_text(name)}: customer / 12}} as department_share"
    ))  # fmt: skip
    with world.table("own_table", query):
        custseg_duck.run(
            features="own_table", con=con, include=[name, second, "department_share"],
            weights={name: 2.0}, transforms={second: "log"},
            **QUICK | {"decision_rules": True},
        )  # fmt: skip
        ((case, fidelity),) = world.rows(
            "select case_expression, fidelity from shop.custseg.decision_trees"
        )
        ((agreed,),) = world.rows(
            f"select avg((({case}) = segment)::integer) from own_table "
            "inner join shop.custseg.segments using (customer_id)"
        )
        same(round(agreed, 9), round(fidelity, 9), f"the customers on whom {case} agrees")
        for segment, condition, n_customers in world.rows(
            "select segment, condition, n_customers from shop.custseg.decision_rules"
        ):
            counted = world.rows(f"select count(*) from own_table where {condition}")
            same(counted, [(n_customers,)], f"customers of segment {segment}")
        scored = world.rows(
            "select count(*) from custseg.score('own_table') as scored inner join "
            "shop.custseg.segments as assigned using (customer_id) "
            "where scored.segment = assigned.segment"
        )
        same(scored, [(12,)], "customers scored alike")
        drift = world.rows("select distinct feature from custseg.feature_drift("
                           "'own_table', 'own_table')")  # fmt: skip
        same({feature for (feature,) in drift} >= {name, second}, True, f"drift {drift}")
    stored = "select list_transform(model.features, lambda one: [one.name, one.department]) from "
    expected = [([[name, None], [second, None], ["department_share", name]],)]
    same(world.rows(stored + "shop.custseg.latest_models"), expected, "features of the model")
    path = f"made.{draw.choice(['json', 'parquet'])}"
    custseg_duck.export_model(con, path)
    same(custseg_duck.import_model(con, path, name="imported"), ("imported", 1), "import")
    imported = stored + "shop.custseg.latest_models where name = 'imported'"
    same(world.rows(imported), expected, "features of the imported model")
    Path(path).unlink()
    told = world.rows("select distinct feature from shop.custseg.segment_profiles")
    same({feature for (feature,) in told} >= {name, second}, True, f"profiles {told}")
    reasons = world.rows("select feature, reason from custseg.explain('c1')")
    same({feature for feature, _ in reasons} >= {name, second}, True, f"reasons {reasons}")
    return world.results(), reasons, drift


def whole_command(world: World, name: str, draw: random.Random) -> object:
    """The command: a table, a mapped column and a run of this name."""
    query = f"select * rename (customer_id as {quote_name(name)}) from order_lines"
    with world.table(name, query):
        given = [
            "run", "-d", "shop.duckdb", "--map", f"customer_id={name}", "--name", name, "-k", "2",
            "--no-decision-rules", "--no-segment-rules", "--n-recommendations", "0",
            "--max-length", "2", "--min-support", "0.2", "--format", "json", "--",
            quote_name(name) if is_path(name) else name,
        ]  # fmt: skip
        shown = _json(given)
    same(shown["run"], name, "the run's name in the command's JSON")
    same(_customers(world, name), CUSTOMERS, "customers")
    return shown, world.results(), _command(["explain", "c1", "--name", name, "-d", "shop.duckdb"])


def several(world: World, name: str, draw: random.Random) -> object:
    """Tables of a mapping, or files in a folder, of these names."""
    lines = world.con.sql("select * exclude (product_name, department) from order_lines")
    lines = lines.to_arrow_table()
    products = pa.table({"product_id": [f"p{n}" for n in range(5)], "product_name": ["tea"] * 5})
    if draw.random() < 0.5:
        custseg_duck.run({name: lines, f"{name} of them": products}, con=world.con, **QUICK)
    else:
        folder = Path("made")
        folder.mkdir()
        try:
            pq.write_table(lines, folder / f"{name}.parquet")
            pq.write_table(products, folder / f"{name} of them.parquet")
        except (OSError, ValueError):  # no name of a file
            shutil.rmtree(folder)
            return None
        try:
            custseg_duck.run(folder, con=world.con, **QUICK)
        finally:
            shutil.rmtree(folder)
    same(_customers(world), CUSTOMERS, "customers")
    ((said,),) = world.rows("select source from shop.custseg.runs order by run_id desc limit 1")
    same(name in said, True, f"the name in {said!r}")
    return world.results()


def database(world: World, name: str, draw: random.Random) -> object:
    """A database, or a schema, of this name is the current one."""
    con = world.con
    is_database = draw.random() < 0.5
    try:
        if is_database:
            con.execute(f"attach ':memory:' as {quote_name(name)}")
            con.execute(f"use {quote_name(name)}")
        else:
            con.execute(f"create schema shop.{quote_name(name)}")
            con.execute(f"use shop.{quote_name(name)}")
    except duckdb.Error:  # DuckDB has no such name, or has it already
        con.execute("use shop")
        return None
    before = world.rows("select count(*) from shop.custseg.runs")
    try:
        con.execute(f"create table own_lines as {lines_sql('s')}")
        custseg_duck.run("own_lines", con=con, **QUICK)
        found = {one for (one,) in world.rows("select customer_id from custseg.segments")}
        same(found, {f"s{number}" for number in range(12)}, "customers")
        custseg_duck.export(con, "made.duckdb")
        same(is_database, world.rows("select count(*) from shop.custseg.runs") == before, "runs")
        return world.rows("select one::varchar from custseg.customer_features as one")
    finally:
        con.execute("use shop")
        con.execute(f"{'detach' if is_database else 'drop schema shop.'}{quote_name(name)}"
                    + ("" if is_database else " cascade"))  # fmt: skip
        Path("made.duckdb").unlink(missing_ok=True)


def into(world: World, name: str, draw: random.Random) -> object:
    """The table that itemsets are put into."""
    temporary = draw.random() < 0.5
    given = {"con": world.con, "min_support": 0.2, "temporary": temporary}
    if fold(name) in TABLES:
        return None  # that one is to be replaced, by what the option says
    found = custseg_duck.frequent_itemsets("order_lines", into=name, **given).fetchall()
    place = f"{'temp' if temporary else 'shop'}.main.{quote_name(name)}"
    same(world.rows(f"from {place}"), found, "rows")
    world.con.execute(f"drop table {place}")
    expected = world.rows("from custseg.frequent_itemsets('order_lines', min_support := 0.2)")
    same(len(found), len(expected), "itemsets")
    return found


def exported(world: World, name: str, draw: random.Random) -> object:
    """A table of this name goes into an export, and comes out of it."""
    with world.table(name, lines_sql("s")):
        custseg_duck.export(
            world.con, "made.duckdb", tables=[quote_name(name) if is_path(name) else name]
        )
    try:
        with duckdb.connect("made.duckdb", read_only=True) as con:
            found = con.execute(f"select distinct customer_id from main.{quote_name(name)}")
            same({one for (one,) in found.fetchall()}, {f"s{n}" for n in range(12)}, "customers")
            shown = con.execute("select one::varchar from custseg.segments as one").fetchall()
    finally:
        Path("made.duckdb").unlink()
    return shown


def model(world: World, name: str, draw: random.Random) -> object:
    """A model under this name, and a file that is called so."""
    con = world.con
    before = {one for (one,) in world.rows("select name from custseg.models")}
    path = Path("made") / f"{name}.{draw.choice(['json', 'parquet'])}"
    path.parent.mkdir()
    try:
        if any(one in name for one in "/\0") or len(name) > 100:  # no name of a file
            path = path.with_name("plain.json")
        custseg_duck.export_model(con, path)
        same([one.name for one in path.parent.iterdir()], [path.name], "files")
        stored, version = custseg_duck.import_model(con, path, name=name)
    finally:
        shutil.rmtree("made")
    found = {one for (one,) in world.rows("select name from custseg.models")}
    same((stored, found), (name, before | {name}), "names of models")
    con.execute(features_of_run("scored_again", "default"))
    own = world.rows(
        "select count(*) from custseg.score('scored_again', ?) as mine inner join "
        "custseg.segments as theirs using (customer_id) "
        "where run_name = 'default' and mine.segment = theirs.segment", [name]
    )  # fmt: skip
    con.execute("drop view scored_again")
    same(own, [(12,)], "customers scored alike")
    same(custseg_duck.drop_model(con, name=name, version=version), 1, "dropped")
    return None


def labels(world: World, name: str, draw: random.Random) -> object:
    """A label that somebody gave, and by which customers are asked for."""
    con, ours = world.con, "run_name = 'default' and segment = 1"
    con.execute(f"update custseg.segment_labels set label = ? where {ours}", [name])
    found = world.rows(f"select distinct label from custseg.labelled_segments where {ours}")
    same(found, [(name,)], "label")
    wanted = world.rows(f"select count(*) from custseg.segments where {ours}")
    counted = world.rows("select count(*) from custseg.target_list([?])", [name])
    if name != "0":  # the number of another
        same(counted, wanted, "customers")
    custseg_duck.export_targets(con, "made.parquet", segments=[name, "0"])
    told = pq.read_table("made.parquet").column("label").to_pylist()
    same(name in told, True, f"labels in the file {set(told)}")
    Path("made.parquet").unlink()
    shown = _json(["show", "labelled_segments", "-d", "shop.duckdb", "--format", "json"])
    same({row["label"] for row in shown if row["segment"] == 1}, {name}, "the command's JSON")
    return told, shown, _command(["show", "-d", "shop.duckdb"])


class _Page(html.parser.HTMLParser):
    """What a page has: elements, and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def report(world: World, name: str, draw: random.Random) -> object:
    """The report's heading is text, whatever is in it."""
    custseg_duck.export_report(world.con, "made.html", title=name or None)
    page = Path("made.html").read_bytes().decode()
    custseg_duck.export_report(world.con, "made.html", title="plain")
    plain = _Page(Path("made.html").read_text(encoding="utf-8"))
    Path("made.html").unlink()
    read = _Page(page)
    same(read.elements, plain.elements, "elements of the page")
    same(any(name.strip() in text for text in (*read.text, "".join(read.text))), True,
         "the title in the page")  # fmt: skip
    return page


def printed(world: World, name: str, draw: random.Random) -> object:
    """The printed SQL of a step, executed by another client, reads this table alone."""
    step = draw.choice(["rfm", "itemsets", "frequent_itemsets", "order_lines"])
    quoted = quote_name(name)
    made_table = name if draw.random() < 0.3 else "made_of_it"
    text = _command(["sql", step, "--into", quote_name(made_table), "--", quoted])
    with duckdb.connect() as con:
        con.execute("create table x as select 'zqTABLEzq' as kept")
        con.execute(f"create table {quoted} as {lines_sql('s')}")
        expected = con.execute(f"from {quoted}").fetchall()
        con.execute(text)
        tables = {table for (table,) in con.execute(
            "select table_name from duckdb_tables() where not temporary").fetchall()}  # fmt: skip
        same(tables, {"x", name, made_table}, "tables")
        same(con.execute("from x").fetchall(), [("zqTABLEzq",)], "x")
        if made_table != name:
            same(con.execute(f"from {quoted}").fetchall(), expected, "lines")
        return con.execute(f"from {quote_name(made_table)}").fetchall()


def macros(world: World, name: str, draw: random.Random) -> object:
    """A macro reads the table of this name, and no other; options are values."""
    called = draw.choice(["rfm", "order_lines", "baskets", "customer_features", "item_names"])
    con = world.con
    with world.table(name, lines_sql("s")):
        found = world.rows(f"from custseg.{called}({quote_text(quote_name(name))})")
        with world.table("plainly", lines_sql("s")):
            expected = world.rows(f"from custseg.{called}('plainly')")
        same(sorted(map(str, found)), sorted(map(str, expected)), called)
        excluded = world.rows(
            f"select count(*) from custseg.order_lines({quote_text(quote_name(name))}, "
            "exclude_items := [?])", [name],
        )  # fmt: skip
        same(excluded, [(72,)], "lines without an item that is not there")
    for option in ("returns", "duplicates", "time_zone"):
        try:
            con.execute(f"from custseg.order_lines('order_lines', {option} := ?)", [name])
        except (duckdb.InvalidInputException, duckdb.NotImplementedException):
            continue
    return found


# Those of a whole run take a second or two each; every name goes through one, and three others
RUNS: tuple[Door, ...] = (
    source, columns, run_name, values, features, whole_command, several, database,
)  # fmt: skip
OTHERS: tuple[Door, ...] = (
    missing, columns_missing, run_missing, into, exported, model, labels, report, printed, macros,
)  # fmt: skip
DOORS = (*RUNS, *OTHERS)
N_OTHERS = 3


class Try(NamedTuple):
    """A name, and the doors that it goes through."""

    name: str
    doors: tuple[Door, ...]


def tries(n: int, seed: int) -> Iterator[Try]:
    """Of ``n`` names a third is that of a CTE or a temporary table, each once if there is room."""
    captured = random.Random(seed).sample(hostile.CAPTURING, min(n // 3, len(hostile.CAPTURING)))
    for name in captured:
        yield Try(name, (source,))
    runs, others = itertools.cycle(RUNS), itertools.cycle(OTHERS)
    for name in hostile.names(n - len(captured), seed):
        yield Try(name, (next(runs), *itertools.islice(others, N_OTHERS)))


def tried(n: int, *, seed: int) -> Figure:
    """``n`` names through the doors."""
    figure = Figure(must_be_zero=(TAKEN, TOUCHED, CHANGED))
    figure.counts.update({"names": 0, "uses": 0, "refused": 0})
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", custseg_duck.CustsegWarning)
        template = Path(folder) / "template"
        make_template(template)
        try:
            for number, one in enumerate(tries(n, seed)):
                _try(figure, one, World(template, Path(folder) / f"{number}"), seed, number)
                os.chdir(here)
                shutil.rmtree(Path(folder) / f"{number}")
        finally:
            os.chdir(here)
    return figure


def _try(figure: Figure, one: Try, world: World, seed: int, number: int) -> None:
    figure.counts["names"] += 1
    for door in one.doors:
        figure.counts["uses"] += 1
        detail = f"seed {seed}, name {number} {one.name[:80]!r}, {door.__name__}"
        try:
            shown = door(world, one.name, random.Random(f"{seed} {number} {door.__name__}"))
        except custseg_duck.CustsegError as error:
            figure.counts["refused"] += 1
            if problem := _taken_for_sql(error):
                figure.failed(TAKEN, f"{detail}: {problem}")
        except TakenError:
            figure.counts["taken already"] += 1
        except ChangedError as error:
            figure.failed(CHANGED, f"{detail}: {error}")
        except duckdb.Error as error:
            if _is_duckdbs(error):
                figure.counts["refused"] += 1
            else:
                figure.failed(TAKEN, f"{detail}: {type(error).__name__} {str(error)[:300]}")
        except Exception as error:  # whatever it is, it is none of ours
            figure.failed(TAKEN, f"{detail}: {type(error).__name__} {str(error)[:300]}")
        else:
            marks = MARKS.findall(_without(str(shown), one.name))
            if marks:
                figure.failed(TOUCHED, f"{detail}: what is in {', '.join(set(marks))} came out")
        _unchanged(figure, world, detail)
    world.close()


def _unchanged(figure: Figure, world: World, detail: str) -> None:
    """Hold what no name may change against what it was."""
    after = world.state()
    for what, expected in world.before.items():
        if after[what] != expected:
            figure.failed(TOUCHED, f"{detail}: {what} {_difference(expected, after[what])}")
            world.before = after


def _without(shown: str, name: str) -> str:
    return shown.replace(name, "") if len(name) > 3 else shown


def _is_duckdbs(error: duckdb.Error) -> bool:
    """Whether it is DuckDB that has no such name at all: of nothing, or of two parts."""
    return "zero-length delimited identifier" in str(error).lower()


def _taken_for_sql(error: BaseException) -> str:
    """What shows that a name was read as a part of a statement."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(
            cause,
            duckdb.ParserException | duckdb.BinderException | duckdb.CatalogException
            | duckdb.SyntaxException | duckdb.InternalException,
        ):  # fmt: skip
            return f"{type(cause).__name__} {str(cause)[:300]}"
        cause = cause.__cause__
    return ""


def _refused(error: custseg_duck.CustsegError) -> str:
    """The message of an error, which must be one of ours."""
    if problem := _taken_for_sql(error):
        raise duckdb.ParserException(problem) from error
    return str(error)


def _difference(before: object, after: object) -> str:
    pairs = before.items() if isinstance(before, dict) else before
    others = after.items() if isinstance(after, dict) else after
    assert isinstance(pairs, list) or hasattr(pairs, "__iter__")
    old, new = {str(one) for one in pairs}, {str(one) for one in others}  # type: ignore[union-attr]
    return f"lost {sorted(old - new)[:3]}, gained {sorted(new - old)[:3]}"


def _command(arguments: Sequence[str]) -> str:
    """What the command prints; its errors are raised."""
    done = CliRunner().invoke(command, list(arguments))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    if done.exit_code:
        for wrong in ("Parser Error", "Binder Error", "Catalog Error"):
            if wrong in done.stderr:
                raise duckdb.ParserException(f"{arguments[0]}: {done.stderr[:300]}")
        raise custseg_duck.InputError(done.stderr)
    return done.stdout_bytes.decode()  # whose stdout has no \r


def _json(arguments: Sequence[str]) -> Any:
    return json.loads(_command(arguments))
