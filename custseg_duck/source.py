"""The user's relation as the pipeline expects it. The only place that composes SQL from names."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb

from custseg_duck.errors import InputError, MissingColumnError, message_of
from custseg_duck.udfs import model

REQUIRED_COLUMNS = ("customer_id", "order_id", "product_id")
OPTIONAL_COLUMNS = (
    "ordered_at",
    "quantity",
    "amount",
    "department",
    "category",
    "product_name",
    "order_number",
    "days_since_prior_order",
    "discount",
    "is_return",
)
PARQUET_SUFFIXES = (".parquet", ".parq", ".pq")
CSV_SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".csv.zst")

SOURCE_VIEW = "custseg_run_source"
SOURCE_OBJECT = "custseg_run_object"
MODEL_TABLE = "custseg_run_model"


def quote_name(name: str) -> str:
    """``name`` as an SQL identifier, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """``text`` as an SQL string, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"


def attach(
    con: duckdb.DuckDBPyConnection, source: object, columns: Mapping[str, str]
) -> tuple[str, list[str]]:
    """Put ``source`` before the pipeline as a temporary view in the canonical columns.

    Parameters
    ----------
    source : str, Path or object
        Name of a table or view, a Parquet or CSV path (globs allowed), or an Arrow table,
        pandas or Polars data frame, or DuckDB relation.
    columns : mapping
        Canonical column name to the source's.

    Returns
    -------
    description : str
        What the source is, in words.
    columns : list of str
        The canonical columns that it has.

    Raises
    ------
    InputError
        If the source is none of these or is not there.
    MissingColumnError
        If required or mapped columns are missing; all of them are named.
    """
    relation, description = _relation(con, source)
    try:
        found = [name for name, *_ in con.execute(f"describe from {relation}").fetchall()]
    except duckdb.Error as error:
        raise InputError(
            f"source must be readable, got {description}: {message_of(error)}"
        ) from error
    chosen = _match(found, columns, description)
    projection = ", ".join(
        f"{quote_name(theirs)} as {quote_name(ours)}" for ours, theirs in chosen.items()
    )
    con.execute(f"create temp view {SOURCE_VIEW} as select {projection} from {relation}")
    return description, list(chosen)


def attach_model(con: duckdb.DuckDBPyConnection, name: str, fitted: dict[str, Any]) -> None:
    """Put a fitted model before the pipeline, as a temporary table of ``name`` and ``model``."""
    con.execute(
        f"create temp table {MODEL_TABLE} as "
        f"select $name as name, cast($model as {model.MODEL_SQL}) as model",
        {"name": name, "model": fitted},
    )


def detach(con: duckdb.DuckDBPyConnection) -> None:
    """Forget the source and the model."""
    con.execute(f"drop view if exists temp.main.{SOURCE_VIEW}")
    con.execute(f"drop table if exists temp.main.{MODEL_TABLE}")
    con.unregister(SOURCE_OBJECT)


def _relation(con: duckdb.DuckDBPyConnection, source: object) -> tuple[str, str]:
    if isinstance(source, Path) or (isinstance(source, str) and _is_path(source)):
        path = os.fspath(source)
        reader = "read_parquet" if path.lower().endswith(PARQUET_SUFFIXES) else "read_csv"
        if not path.lower().endswith(PARQUET_SUFFIXES + CSV_SUFFIXES):
            raise InputError(f"source must be a Parquet or CSV file, got {path}")
        return f"{reader}({quote_text(path)})", path
    if isinstance(source, str):
        return _table(con, source), source
    if isinstance(source, duckdb.DuckDBPyRelation):
        source = source.to_arrow_table()
    try:
        con.register(SOURCE_OBJECT, source)
    except (duckdb.Error, TypeError) as error:
        raise InputError(
            "source must be the name of a table or view, a Parquet or CSV path, or an Arrow, "
            f"pandas or Polars table, got {type(source).__name__}"
        ) from error
    return f"temp.main.{SOURCE_OBJECT}", f"{type(source).__module__}.{type(source).__name__}"


def _is_path(text: str) -> bool:
    return text.lower().endswith(PARQUET_SUFFIXES + CSV_SUFFIXES)


def _table(con: duckdb.DuckDBPyConnection, name: str) -> str:
    """The quoted, fully qualified name of the table or view that ``name`` means."""
    known = con.execute(
        "select database_name, schema_name, table_name from duckdb_tables() union all "
        "select database_name, schema_name, view_name from duckdb_views() where not internal"
    ).fetchall()
    ((database, schema),) = con.execute("select current_database(), current_schema()").fetchall()
    # as in DuckDB, a temporary table comes before one of the current schema
    searched = [("temp", "main"), (database, schema), (database, "main")]
    by_folded = {tuple(part.lower() for part in place): place for place in known}
    for candidate in chain(
        ((*place, name) for place in searched), _readings(name, database, searched)
    ):
        place = by_folded.get(tuple(part.lower() for part in candidate))
        if place:
            return ".".join(quote_name(part) for part in place)
    tables = sorted({table for _, place_schema, table in known if place_schema != "custseg"})
    raise InputError(
        f"source must be a table or view that exists, got {name!r}; "
        f"there are {', '.join(tables[:20]) or 'none'}"
    )


def _readings(
    name: str, database: str, searched: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, str, str]]:
    """What a name may mean that is quoted or has dots: database, schema and table."""
    import sqlglot

    try:
        table = sqlglot.exp.to_table(name, dialect="duckdb")
    except sqlglot.errors.SqlglotError:
        return
    match [part.name for part in table.parts]:
        case [last]:
            yield from ((*place, last) for place in searched)
        case [qualifier, last]:
            yield database, qualifier, last
            yield qualifier, "main", last
        case [catalog, qualifier, last]:
            yield catalog, qualifier, last


def _match(found: list[str], columns: Mapping[str, str], description: str) -> dict[str, str]:
    """Canonical name to the source's own, for every column that is there."""
    canonical = REQUIRED_COLUMNS + OPTIONAL_COLUMNS
    columns = {ours: theirs for ours, theirs in columns.items() if theirs is not None}
    unknown = [name for name in columns if name not in canonical]
    if unknown:
        raise InputError(
            f"columns must map names among {', '.join(canonical)}, got {', '.join(unknown)}"
        )
    by_folded = {name.lower(): name for name in found}
    absent = [theirs for theirs in columns.values() if theirs.lower() not in by_folded]
    if absent:
        raise InputError(
            f"columns must map to columns of {description}, got {', '.join(absent)}; "
            f"there are {', '.join(found)}"
        )
    wanted = {ours: columns.get(ours, ours).lower() for ours in canonical}
    missing = [ours for ours in REQUIRED_COLUMNS if wanted[ours] not in by_folded]
    if missing:
        raise MissingColumnError(description, missing, found)
    return {ours: by_folded[theirs] for ours, theirs in wanted.items() if theirs in by_folded}


def publish(con: duckdb.DuckDBPyConnection, table: str, run_column: str, run_name: str) -> None:
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
        others = con.execute(
            f"select 1 from {old} where {column} <> $run_name limit 1",
            {"run_name": run_name},
        ).fetchall()
        if others:
            _same_types(con, old, new)
            con.execute(
                f"create or replace table {old} as select * from {old} where {column} <> $run_name "
                f"union all by name from {new}",
                {"run_name": run_name},
            )
            return
    con.execute(f"create or replace table {old} as from {new}")


def forget(con: duckdb.DuckDBPyConnection, table: str, run_name: str) -> None:
    """Delete one run's rows of ``custseg.<table>``, if there is such a table."""
    if exists(con, table):
        con.execute(
            f"delete from custseg.{quote_name(table)} where run_name = $run_name",
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


def drop_steps(con: duckdb.DuckDBPyConnection, steps: Iterable[str]) -> None:
    """Drop the temporary tables of the pipeline's steps."""
    for step in steps:
        con.execute(f"drop table if exists temp.main.{quote_name('custseg_run_' + step)}")


def exists(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether the current database has ``custseg.<table>``."""
    return bool(
        con.execute(
            "select 1 from duckdb_tables() where database_name = current_database() "
            "and schema_name = 'custseg' and table_name = $table",
            {"table": table},
        ).fetchall()
    )


def _same_types(con: duckdb.DuckDBPyConnection, old: str, new: str) -> bool:
    """Whether the columns' types are the same; integers of another width are not, but may be.

    Raises
    ------
    InputError
        If a column is of another kind.
    """
    kept, added = (
        {name: kind for name, kind, *_ in con.execute(f"describe from {relation}").fetchall()}
        for relation in (old, new)
    )
    changed = [
        f"{name} {kept[name]} against {kind}"
        for name, kind in added.items()
        if name in kept and _any_width(kept[name]) != _any_width(kind)
    ]
    if changed:
        raise InputError(
            f"a run must have the same types as the runs beside it in {old}, got "
            f"{'; '.join(changed)}. Cast the ids in the source, or keep this run in a database "
            "of its own"
        )
    return kept == added


def _any_width(kind: str) -> str:
    return re.sub(r"\bU?(TINY|SMALL|BIG|HUGE)?INT(EGER)?\b", "integer", kind)
