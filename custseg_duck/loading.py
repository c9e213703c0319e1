"""load and connect: the SQL surface on a connection."""

import atexit
import contextlib
import os
import re
import threading
import weakref
from typing import Any

import duckdb

from custseg_duck import catalog, documentation, functions
from custseg_duck.arguments import path_text, require_bool, require_connection
from custseg_duck.errors import (
    CustsegError,
    InputError,
    NotLoadedError,
    QueryError,
    message_of,
)
from custseg_duck.statements import dropped_object
from custseg_duck.transactions import transaction, write
from custseg_duck.version import __version__

_loading = threading.Lock()  # of two transactions that create a macro DuckDB refuses one

# DuckDB complains at exit of functions whose connection was never closed.
_connections: "weakref.WeakSet[duckdb.DuckDBPyConnection]" = weakref.WeakSet()


@atexit.register
def _close_connections() -> None:
    for con in list(_connections):
        with contextlib.suppress(duckdb.Error):  # a daemon thread is at a query of a cursor
            con.close()


def connect(
    path: str | os.PathLike[str] = ":memory:", *, read_only: bool = False, **config: Any
) -> duckdb.DuckDBPyConnection:
    """Open a database with the SQL surface on it: ``duckdb.connect`` and ``load``.

    Parameters
    ----------
    path : str or path
        A database file, made if it is not there; by default one in memory.
    read_only : bool
        Needs a file that has the macros already.
    **config
        DuckDB's settings, for instance ``memory_limit="1GB"``.

    Raises
    ------
    CustsegError
        If the file cannot be opened: locked by another process, or no database.
    InputError, NotLoadedError
        See ``load``.
    """
    place = path_text(path)
    require_bool("read_only", read_only)
    try:
        con = duckdb.connect(place, read_only=read_only, config=config)
    except duckdb.Error as error:
        raise CustsegError(f"cannot open {place}: {message_of(error)}", "cannot-open") from error
    try:
        _refuse_data_file(con, path)
        return load(con)
    except BaseException:
        con.close()
        raise


def load(con: duckdb.DuckDBPyConnection, *, persist: bool = True) -> duckdb.DuckDBPyConnection:
    """Put the SQL surface on a connection.

    The UDFs are registered for the database instance, until it is closed. The macros are written
    into the schema ``custseg`` of the current database, unless those of this version or a newer
    one are there.

    Parameters
    ----------
    persist : bool
        False leaves the database as it is: the UDFs only, and the macros that it has.

    Returns
    -------
    duckdb.DuckDBPyConnection
        ``con``.

    Raises
    ------
    InputError
        If a database of the connection is called ``custseg``, or a transaction is open and
        the functions are not there yet.
    NotLoadedError
        If the database is read-only and has no macros of this version.
    QueryError
        If the macros cannot be written. The database is as it was before.
    """
    require_connection(con)
    require_bool("persist", persist)
    _refuse_ambiguous_schema(con)
    functions.register(con)
    _connections.add(con)
    if persist:
        with _loading:
            try:
                _create_macros(con)
            except duckdb.Error as error:
                raise QueryError("load", "", error) from error
    return con


def _create_macros(con: duckdb.DuckDBPyConnection) -> None:
    """Write the macros into the current database, unless it has those of this version or newer.

    All or none, and one write to the file instead of fifty.
    """
    if has_macros(con):
        return
    present = installed_version(con)
    if is_read_only(con):
        raise NotLoadedError(
            f"the database must hold the macros of custseg_duck {__version__} or be writable, "
            f"got a read-only one with {present or 'none'}. Open it for writing once; or work in "
            "memory and attach it: attach 'shop.duckdb' (read_only), after which its tables are "
            "'shop.main.order_lines'"
        )
    statements = [
        "create schema if not exists custseg",
        *(catalog.statement(path) for path in catalog.MACROS),
        ";\n".join(documentation.comments()),
    ]
    if functions.in_transaction(con):
        for statement in statements:
            con.execute(statement)
        return
    with transaction(con):
        for statement in statements:
            con.execute(statement)


def unload(con: duckdb.DuckDBPyConnection, *, keep_tables: bool = False) -> None:
    """Remove from the current database what custseg_duck left in it, and only that.

    These are the macros and, unless they are to be kept, the tables and views of runs, labels and
    models included. The schema ``custseg`` goes too, if nothing else is in it. All or nothing is
    removed. The UDFs belong to the process and stay until it ends.

    Parameters
    ----------
    keep_tables : bool
        Leave the results, and remove the macros alone.

    Raises
    ------
    InputError
        If a transaction is open, or the database is read-only.
    QueryError
        If something cannot be dropped.
    """
    require_connection(con)
    require_bool("keep_tables", keep_tables)
    if functions.in_transaction(con):
        raise InputError(
            "unload must be called outside a transaction, because it is one itself, got an open "
            "one. Commit or roll back first [transaction]"
        )
    ours = {
        (kind, name)
        for kind, name, is_commented in _objects(con)
        if is_commented and (kind, name) in _known(keep_tables)
    }
    if not ours:
        return
    if is_read_only(con):
        raise InputError(
            "unload must be able to write to the current database, got a read-only one [read-only]"
        )

    def remove() -> None:
        for kind, name in sorted(ours, reverse=True):  # views before the tables that they read
            con.execute(dropped_object(kind, name))
        if not _objects(con):
            con.execute("drop schema custseg")

    try:
        with _loading:
            write(con, "unload", remove)
    except duckdb.Error as error:
        raise QueryError("unload", "", error) from error


def _known(keep_tables: bool) -> set[tuple[str, str]]:
    """Kind and name of what custseg_duck may have left."""
    macros = {
        ("macro table" if header.is_table else "macro", header.name)
        for header in map(documentation.header, catalog.MACROS)
    }
    if keep_tables:
        return macros
    tables = {("table", name) for name in catalog.TABLES}
    return macros | tables | {("view", name) for name in catalog.VIEWS}


def _objects(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, bool]]:
    """All that is in the schema custseg of the current database: kind, name, and a comment or not.

    What we leave has a comment, and loses it where somebody puts something else in its place.
    """
    return con.execute(
        "select if(function_type = 'table_macro', 'macro table', 'macro'), function_name, "
        "coalesce(starts_with(comment, 'custseg.'), false) from duckdb_functions() "
        "where database_name = current_database() and schema_name = 'custseg' "
        "union select 'table', table_name, comment is not null from duckdb_tables() "
        "where database_name = current_database() and schema_name = 'custseg' "
        "union select 'view', view_name, comment is not null from duckdb_views() "
        "where database_name = current_database() and schema_name = 'custseg' "
        "union select 'type', type_name, false from duckdb_types() "
        "where database_name = current_database() and schema_name = 'custseg' "
        "union select 'sequence', sequence_name, false from duckdb_sequences() "
        "where database_name = current_database() and schema_name = 'custseg'"
    ).fetchall()


def has_macros(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the current database has the macros of this version or of a newer one."""
    present = installed_version(con)
    return present is not None and _numbers(present) >= _numbers(__version__)


def require_macros(con: duckdb.DuckDBPyConnection) -> None:
    """Refuse a database without macros, from which they may have been removed.

    Raises
    ------
    NotLoadedError
        That says how to put them there.
    """
    if installed_version(con) is None:
        raise NotLoadedError(
            "the database must hold the macros of custseg_duck, got none. "
            "custseg_duck.load(con) writes them, on a connection that can"
        )


def installed_version(con: duckdb.DuckDBPyConnection) -> str | None:
    """The version of the macros in the current database, or None."""
    if not functions.in_transaction(con):  # which an error would end
        try:
            ((version,),) = con.execute("select custseg.version()").fetchall()
        except (duckdb.BinderException, duckdb.CatalogException):
            return None
        return str(version)
    schemas = con.execute(
        "select 1 from duckdb_schemas() "
        "where database_name = current_database() and schema_name = 'custseg'"
    ).fetchall()
    if not schemas:  # looking through all functions takes a while
        return None
    macros = con.execute(
        "select 1 from duckdb_functions() where database_name = current_database() "
        "and schema_name = 'custseg' and function_name = 'version'"
    ).fetchall()
    if not macros:
        return None
    ((version,),) = con.execute("select custseg.version()").fetchall()
    return str(version)


def _refuse_ambiguous_schema(con: duckdb.DuckDBPyConnection) -> None:
    names = [
        name for (name,) in con.execute("select database_name from duckdb_databases()").fetchall()
    ]
    if any(name.lower() == "custseg" for name in names):
        raise InputError(
            "no database may be called custseg, because custseg.rfm would then mean two things, "
            f"got {', '.join(names)}. Rename the file, or attach it under another "
            "name [database-name]"
        )


def _refuse_data_file(con: duckdb.DuckDBPyConnection, path: str | os.PathLike[str]) -> None:
    """DuckDB opens a Parquet or CSV file as views in memory: whatever is written would be lost."""
    ((stored,),) = con.execute(
        "select path from duckdb_databases() where database_name = current_database()"
    ).fetchall()
    if stored is None and not os.fspath(path).startswith(":memory:") and os.fspath(path):
        raise InputError(
            f"path must be a DuckDB database, got the data file {os.fspath(path)} [cannot-open]"
        )


def is_read_only(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the current database cannot be written to."""
    ((read_only,),) = con.execute(
        "select readonly from duckdb_databases() where database_name = current_database()"
    ).fetchall()
    return bool(read_only)


def _numbers(version: str) -> tuple[int, ...]:
    """Those that a version begins with: those of 0.3.0rc1 are 0, 3 and 0."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
