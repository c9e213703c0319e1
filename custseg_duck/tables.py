"""Tables of custseg, and the temporary ones of a run that become them."""

import contextlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from custseg_duck.errors import InputError
from custseg_duck.placing import placed
from custseg_duck.statements import dropped, quote_name, quote_path, quote_text
from custseg_duck.stopping import surely

# People edit these. A table made anew would lose, without a word, what they commit meanwhile.
EDITED = ("segment_labels", "rfm_cut_points")


def replace(con: duckdb.DuckDBPyConnection, table: str, run_column: str, run_name: str) -> None:
    """Replace one run's rows of ``custseg.<table>`` by those of the step of the same name.

    Rows of other runs stay. Where there are none, the table takes the new rows' types.

    Raises
    ------
    InputError
        If other runs' rows are of other types.
    """
    new, old = f"temp.main.{quote_name('custseg_run_' + table)}", f"custseg.{quote_name(table)}"
    column = quote_name(run_column)
    if exists(con, table):
        if table in EDITED and _types(con, old) == _types(con, new):
            # of two updates of a row DuckDB refuses one, but not a delete of what was updated
            touched = ", ".join(f"{quote_name(c)} = {quote_name(c)}" for c in _types(con, old))
            con.execute(
                f"update {old} set {touched} where {column} = $run_name", {"run_name": run_name}
            )
            forget(con, table, run_name, run_column)
            con.execute(f"insert into {old} by name from {new}")
            return
        others = con.execute(
            f"select 1 from {old} where {column} <> $run_name limit 1",
            {"run_name": run_name},
        ).fetchall()
        if others and not con.execute(f"select 1 from {new} limit 1").fetchall():
            forget(con, table, run_name, run_column)  # the types of no rows are nobody's
            return
        if others:
            _same_types(con, old, new)
            con.execute(
                f"create or replace table {old} as select * from {old} where {column} <> $run_name "
                f"union all by name from {new}",
                {"run_name": run_name},
            )
            return
    con.execute(f"create or replace table {old} as from {new}")


def keep(con: duckdb.DuckDBPyConnection, table: str, run_name: str | None) -> bool:
    """Take the rows that ``custseg.<table>`` has, of one run or all, as those of its step.

    Returns
    -------
    bool
        Whether there were any.
    """
    if not exists(con, table):
        return False
    new, old = f"temp.main.{quote_name('custseg_run_' + table)}", f"custseg.{quote_name(table)}"
    of_run = "" if run_name is None else "where run_name = $run_name"
    con.execute(
        f"create temp table {new} as from {old} {of_run}",
        {} if run_name is None else {"run_name": run_name},
    )
    if con.execute(f"select 1 from {new} limit 1").fetchall():
        return True
    con.execute(f"drop table {new}")
    return False


def forget(
    con: duckdb.DuckDBPyConnection, table: str, run_name: str, run_column: str = "run_name"
) -> None:
    """Delete one run's rows of ``custseg.<table>``, if there is such a table."""
    if exists(con, table):
        con.execute(
            f"delete from custseg.{quote_name(table)} where {quote_name(run_column)} = $run_name",
            {"run_name": run_name},
        )


def append(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Add the rows of the step ``table`` to ``custseg.<table>``, which keeps all it has.

    Raises
    ------
    InputError
        If its rows are of other types.
    """
    new, old = f"temp.main.{quote_name('custseg_run_' + table)}", f"custseg.{quote_name(table)}"
    if not exists(con, table):
        con.execute(f"create table {old} as from {new}")
    elif _same_types(con, old, new):
        con.execute(f"insert into {old} by name from {new}")
    else:
        con.execute(f"create or replace table {old} as from {old} union all by name from {new}")


def create(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Make ``custseg.<table>`` of the step of this name, unless it is there or the step is not."""
    new, old = f"temp.main.{quote_name('custseg_run_' + table)}", f"custseg.{quote_name(table)}"
    made = con.execute(
        "select 1 from duckdb_tables() where database_name = 'temp' and table_name = $name",
        {"name": f"custseg_run_{table}"},
    ).fetchall()
    if made and not exists(con, table):
        con.execute(f"create table {old} as from {new}")


def exists(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether the current database has ``custseg.<table>``."""
    return bool(
        con.execute(
            "select 1 from duckdb_tables() where database_name = current_database() "
            "and schema_name = 'custseg' and table_name = $table",
            {"table": table},
        ).fetchall()
    )


def drop_views(con: duckdb.DuckDBPyConnection, steps: Iterable[str]) -> None:
    """Drop the temporary views of these steps."""
    surely(
        con,
        *(f"drop view if exists temp.main.{quote_name('custseg_run_' + step)}" for step in steps),
    )


def drop_steps(con: duckdb.DuckDBPyConnection, steps: Iterable[str]) -> None:
    """Drop the temporary tables of the pipeline's steps."""
    surely(con, *dropped(steps))


def copy_to(con: duckdb.DuckDBPyConnection, table: str, path: str) -> None:
    """Write a temporary table to a file, whose suffix says of which format: whole or not at all.

    Raises
    ------
    duckdb.Error, OSError
        If that cannot be.
    """
    kind = os.path.splitext(path)[1].lower()[1:]
    with contextlib.nullcontext(path) if "://" in path else placed(Path(path)) as place:
        con.execute(
            f"copy temp.main.{quote_name(table)} to {quote_text(os.fspath(place))} (format {kind})"
        )


def attach_file(
    con: duckdb.DuckDBPyConnection, path: str, columns: Mapping[str, str], table: str
) -> None:
    """Read a Parquet or JSON file as a temporary table of just these columns and types."""
    if path.lower().endswith(".json"):
        types = ", ".join(f"{quote_text(name)}: {quote_text(t)}" for name, t in columns.items())
        relation = f"read_json({quote_path(path)}, columns = {{{types}}})"
    else:
        relation = f"read_parquet({quote_path(path)})"
    selected = ", ".join(
        f"cast({quote_name(name)} as {kind}) as {quote_name(name)}"
        for name, kind in columns.items()
    )
    con.execute(
        f"create or replace temp table {quote_name(table)} as select {selected} from {relation}"
    )


def _same_types(con: duckdb.DuckDBPyConnection, old: str, new: str) -> bool:
    """Whether the columns' types are the same; integers of another width are not, but may be.

    Raises
    ------
    InputError
        If a column is of another kind.
    """
    kept, added = _types(con, old), _types(con, new)
    changed = [
        f"{name} {kept[name]} against {kind}"
        for name, kind in added.items()
        if name in kept and _any_width(kept[name]) != _any_width(kind)
    ]
    if changed:
        raise InputError(
            f"a run must have the same types as the runs beside it in {old}, got "
            f"{'; '.join(changed)}. Cast the ids in the source, or keep this run in a database "
            "of its own [run-types]"
        )
    return kept == added


def _types(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """The type of each column."""
    return {name: kind for name, kind, *_ in con.execute(f"describe from {relation}").fetchall()}


def _any_width(kind: str) -> str:
    return re.sub(r"\bU?(TINY|SMALL|BIG|HUGE)?INT(EGER)?\b", "integer", kind)


def fetched(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The rows of the statement that was executed last, by the names of their columns."""
    names = [name for name, *_ in con.description or ()]
    return [dict(zip(names, row, strict=True)) for row in con.fetchall()]


# The column that holds the run's name where it is another than run_name; None where runs share rows
RUN_COLUMNS = {
    "models": "name",
    "latest_models": "name",
    "rfm_names": None,
    "segment_history": None,
}


def query_of_run(
    con: duckdb.DuckDBPyConnection, table: str, run_name: str
) -> tuple[str, list[str]]:
    """The query, and its parameters, of the rows that a table or view of custseg has of a run.

    Raises
    ------
    InputError
        If there is no such table, which not every run leaves.
    """
    if not exists(con, table) and not _is_view(con, table):
        raise InputError(
            f"table must be one that a run has left, got {table}, which none has [no-result]"
        )
    column = RUN_COLUMNS.get(table, "run_name")
    relation = f"from custseg.{quote_name(table)}"
    if column is None:
        return relation, []
    return f"{relation} where {quote_name(column)} = $1", [run_name]


def _is_view(con: duckdb.DuckDBPyConnection, view: str) -> bool:
    return bool(
        con.execute(
            "select 1 from duckdb_views() where database_name = current_database() "
            "and schema_name = 'custseg' and view_name = $view",
            {"view": view},
        ).fetchall()
    )
