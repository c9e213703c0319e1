"""A folder, a database and a program full of canaries, and what doors need to look into them."""

import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import string
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from click.testing import CliRunner

import custseg_duck
from custseg_duck import catalog
from custseg_duck.cli import main as command
from custseg_duck.statements import quote_name, quote_text

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


CUSTOMERS = {f"c{number}" for number in range(12)}


def customers(world: World, run_name: str = "default") -> set[str]:
    return {
        one for (one,) in world.rows(
            "select customer_id from shop.custseg.segments where run_name = ?", [run_name]
        )
    }  # fmt: skip


def plainly(text: str) -> str:
    """A text without what repr, or SQL in a list, writes otherwise."""
    return "".join(one for one in text if one.isalnum())


def refused(error: custseg_duck.CustsegError) -> str:
    """The message of an error, which must be one of ours."""
    if problem := taken_for_sql(error):
        raise duckdb.ParserException(problem) from error
    return str(error)


def taken_for_sql(error: BaseException) -> str:
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


def command_output(arguments: Sequence[str]) -> str:
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


def as_json(arguments: Sequence[str]) -> Any:
    return json.loads(command_output(arguments))
