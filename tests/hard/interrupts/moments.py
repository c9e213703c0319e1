"""When something is interrupted, what came of it, and what is there before and after."""

from pathlib import Path
from typing import NamedTuple

import duckdb

import custseg_duck
from tests.conftest import QUICK

MOST_SECONDS = 1.0


class Moment(NamedTuple):
    """When to interrupt what, and how: ``delay`` seconds after the phase begins."""

    job: str
    phase: str
    way: str
    delay: float


class Found(NamedTuple):
    """What came of an interrupt.

    seconds : from it to the return; None if it was done before
    asked : how often; phase : in which one really; after : what was raised
    touched : tables of custseg that are not as before; left : what should not be there
    """

    moment: Moment
    seconds: float | None
    asked: int
    phase: str
    after: str
    is_clear: bool
    touched: list[str]
    left: list[str]


def state(con: duckdb.DuckDBPyConnection) -> dict[str, object]:
    """What is in each table of custseg, and what the user has."""
    tables = con.execute(
        'select format(\'"{}"."{}"\', schema_name, table_name) from duckdb_tables() '
        "where database_name = current_database() order by all"
    ).fetchall()
    return {
        table: con.execute(
            f"select count(*), bit_xor(hash(one_row::varchar)) from {table} as one_row"
            if "custseg" in table
            else f"select count(*) from {table}"
        ).fetchall()
        for (table,) in tables
    }


def changed(before: dict[str, object], after: dict[str, object]) -> list[str]:
    return sorted(
        table for table in before.keys() | after.keys() if before.get(table) != after.get(table)
    )


def left(con: duckdb.DuckDBPyConnection, folder: Path) -> list[str]:
    """What should not be there any more, and that the next run does not succeed."""
    objects = con.execute(
        "select table_name from duckdb_tables() where temporary union all "
        "select view_name from duckdb_views() where temporary and not internal union all "
        "select database_name from duckdb_databases() "
        "where not internal and database_name <> current_database() union all "
        "select 'perfect_ht_threshold' where current_setting('perfect_ht_threshold') <> 12"
    ).fetchall()
    files = [path.name for path in folder.iterdir() if "custseg" in path.name]
    try:
        custseg_duck.run("few", con=con, name="few", k=2, **QUICK)
    except Exception as error:
        files.append(f"the next run: {error!r}")
    return [name for (name,) in objects] + files
