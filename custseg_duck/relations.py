"""The tables that a user names: in the database, as files or folders, or in Python."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, count
from pathlib import Path

import duckdb

from custseg_duck.errors import InputError, message_of
from custseg_duck.layouts import Table
from custseg_duck.statements import file_relation, folded, is_path, quote_name, table_parts

# The views of what is in Python; source.detach forgets them
SOURCE_OBJECT = "custseg_run_object"

_object_numbers = count()


def tables_of(con: duckdb.DuckDBPyConnection, source: object) -> tuple[list[Table], str]:
    """The tables of the source, and what it is in words."""
    if isinstance(source, Mapping):
        tables = [_named(con, name, value) for name, value in source.items()]
        if not tables:
            raise InputError("source must have at least one table, got an empty mapping [option]")
        return tables, tables[0].label if len(tables) == 1 else ""
    if isinstance(source, str | Path) and _is_folder(con, source):
        files = _files(Path(source))
        tables = [read(con, os.fspath(path), name, name) for name, path in files.items()]
        return tables, os.fspath(Path(source))
    table = read(con, source)
    return [table], table.name


def _named(con: duckdb.DuckDBPyConnection, name: object, value: object) -> Table:
    if not isinstance(name, str):
        raise InputError(
            f"source must map names of tables to tables, got the name {name!r} [option]"
        )
    try:
        return read(con, value, name)
    except InputError as error:
        raise InputError(f"table {name!r} of the source: {error}") from error


def _is_folder(con: duckdb.DuckDBPyConnection, source: str | Path) -> bool:
    if isinstance(source, str) and (is_path(source) or _find_table(con, source)):
        return False
    return os.path.isdir(source)


def _files(folder: Path) -> dict[str, Path]:
    """The Parquet and CSV files of a folder, by their names without suffix.

    Raises
    ------
    InputError
        If there are none, or two of one name.
    """
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if not is_path(path.name) or path.name.startswith((".", "_")):
            continue
        name = re.sub(r"\.(csv|tsv)\.(gz|zst)$|\.\w+$", "", path.name, flags=re.IGNORECASE)
        if name in files:
            raise InputError(
                f"source must have one file of each name, got {files[name].name} and {path.name} "
                f"in {folder} [ambiguous-table]"
            )
        files[name] = path
    if not files:
        raise InputError(
            f"source must be a folder with Parquet or CSV files, got {folder} [no-source]"
        )
    return files


def read(
    con: duckdb.DuckDBPyConnection,
    source: object,
    name: str = "",
    label: str = "",
    option: str = "source",
) -> Table:
    """One table and its columns; without a name, it is called what it is."""
    relation, description = relation_of(con, source, option)
    try:
        found = con.execute(f"describe from {relation}").fetchall()
    except duckdb.Error as error:
        raise InputError(
            f"{option} must be readable, got {description}: {message_of(error)}", "no-source"
        ) from error
    name = name or description
    label = label or (name if name == description else f"{name} ({description})")
    return Table(name, relation, {column: kind for column, kind, *_ in found}, label)


def relation_of(
    con: duckdb.DuckDBPyConnection, source: object, option: str = "source"
) -> tuple[str, str]:
    """What reads a table, and what it is in words; ``option`` is what an error calls it."""
    if isinstance(source, Path) or (isinstance(source, str) and is_path(source)):
        path = os.fspath(source)
        if not is_path(path):
            raise InputError(f"{option} must be a Parquet or CSV file, got {path} [no-source]")
        return file_relation(path), path
    if isinstance(source, str):
        return table_named(con, source, option), source
    if isinstance(source, duckdb.DuckDBPyRelation):
        source = source.to_arrow_table()
    name = f"{SOURCE_OBJECT}_{next(_object_numbers)}"
    try:
        con.register(name, source)
    except (duckdb.Error, TypeError) as error:
        raise InputError(
            f"{option} must be the name of a table or view, a Parquet or CSV path, or an Arrow, "
            f"pandas or Polars table, got {type(source).__name__} [no-source]"
        ) from error
    return f"temp.main.{name}", f"{type(source).__module__}.{type(source).__name__}"


def table_named(con: duckdb.DuckDBPyConnection, name: str, option: str = "source") -> str:
    """The quoted, fully qualified name of the table or view that ``name`` means.

    ``option`` is what an error calls it.

    Raises
    ------
    InputError
        If there is none.
    """
    place = _find_table(con, name)
    if place:
        return place
    tables = sorted(
        {
            table
            for _, schema, table in _known_tables(con)
            if schema != "custseg" and not table.startswith("custseg_")
        }
    )
    raise InputError(
        f"{option} must be a table or view that exists, got {name!r}; "
        f"there are {', '.join(tables[:20]) or 'none'} [no-source]"
    )


def lasting_name(con: duckdb.DuckDBPyConnection, name: str) -> str | None:
    """How to name a table so that it is found again whatever schema is current; None without one.

    The current database has another name once its file has one, and so is left out.
    """
    place = _find_table(con, name)
    if place is None:
        return None
    ((database,),) = con.execute("select current_database()").fetchall()
    within = place.removeprefix(f"{quote_name(database)}.")
    names = (within.replace('"', ""), within)
    return next((one for one in names if _find_table(con, one) == place), name)


def _known_tables(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    return con.execute(
        "select database_name, schema_name, table_name from duckdb_tables() union all "
        "select database_name, schema_name, view_name from duckdb_views() where not internal"
    ).fetchall()


def _find_table(con: duckdb.DuckDBPyConnection, name: str) -> str | None:
    ((database, schema),) = con.execute("select current_database(), current_schema()").fetchall()
    # as in DuckDB, a temporary table comes before one of the current schema
    searched = [("temp", "main"), (database, schema), (database, "main")]
    by_folded = {tuple(folded(part) for part in place): place for place in _known_tables(con)}
    for candidate in chain(
        ((*place, name) for place in searched), _readings(name, database, searched)
    ):
        place = by_folded.get(tuple(folded(part) for part in candidate))
        if place:
            return ".".join(quote_name(part) for part in place)
    return None


def _readings(
    name: str, database: str, searched: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, str, str]]:
    """What a name may mean that is quoted or has dots: database, schema and table."""
    match table_parts(name):
        case [last]:
            yield from ((*place, last) for place in searched)
        case [qualifier, last]:
            yield database, qualifier, last
            yield qualifier, "main", last
        case [catalog, qualifier, last]:
            yield catalog, qualifier, last
