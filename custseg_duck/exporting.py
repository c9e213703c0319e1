"""What runs left, and the macros, as a database file of its own that older clients open."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

import duckdb

from custseg_duck import catalog, documentation
from custseg_duck.arguments import path_text, require_bool, require_connection, require_text
from custseg_duck.errors import InputError, file_errors
from custseg_duck.functions import in_transaction
from custseg_duck.loading import load
from custseg_duck.placing import placed
from custseg_duck.publishing import VIEWS
from custseg_duck.relations import table_named
from custseg_duck.statements import (
    attached,
    checkpointed,
    copied_table,
    detached,
    folded,
    last_part,
    table_in,
    used_database,
)
from custseg_duck.stopping import interruptible
from custseg_duck.tables import exists
from custseg_duck.transactions import tidied

STORAGE_VERSION = "v1.0.0"


def export(
    con: duckdb.DuckDBPyConnection,
    path: str | os.PathLike[str],
    *,
    storage_version: str = STORAGE_VERSION,
    tables: Iterable[str] = (),
    overwrite: bool = False,
) -> None:
    """Write what runs left in the current database, and the macros, to a file of its own.

    Any DuckDB client from ``storage_version`` on opens it and reads the tables and views, without
    Python; from DuckDB 1.4 on its macros score new customers, and mine itemsets and rules. The file
    is written beside its place and put there when it is whole: a process that is killed meanwhile
    leaves ``.NAME.custseg_...`` there, which an export to the same place a day later removes.

    Parameters
    ----------
    con : DuckDBPyConnection
        With at least one run.
    path : str or path
        Of the file. Its name without suffix is what DuckDB calls the database, and so cannot be
        custseg.
    storage_version : str
        The oldest DuckDB that is to open it, like "v1.0.0" or "v1.5.0".
    tables : iterable of str
        Tables or views of the user to copy into the schema ``main`` of the file, such as the order
        lines.
    overwrite : bool
        Replace a file that is there.

    Raises
    ------
    InputError
        If there is no run, no such table, the path is taken, or the file cannot be written.
    """
    require_connection(con)
    target = Path(path_text(path))
    require_text("storage_version", storage_version)
    require_bool("overwrite", overwrite)
    _require_place(con, target, overwrite)
    if not exists(con, "runs"):
        raise InputError("the current database must hold a run to be exported, got none [no-run]")
    own = _found(con, tables)
    load(con, persist=False)  # the macros are written into the file, and name the functions
    name = f"custseg_export_{secrets.token_hex(4)}"
    with (
        file_errors(f"cannot write {target}"),
        placed(target) as unfinished,
        interruptible(con, "export"),
    ):
        _attach(con, unfinished, name, storage_version)
        with tidied(lambda: con.execute(detached(name))):
            _copy_results(con, name)
            for table, relation in own.items():
                con.execute(copied_table(name, "main", table, relation))
            con.execute(checkpointed(name))  # whose settings may keep all in the .wal beside it


def _require_place(con: duckdb.DuckDBPyConnection, target: Path, overwrite: bool) -> None:
    """A path that can become a database, and is none that is in use."""
    if in_transaction(con):
        raise InputError(
            "export must be called outside a transaction, because it is one itself, got an open "
            "one. Commit or roll back first [transaction]"
        )
    if target.name.partition(".")[0].lower() == "custseg":  # what DuckDB will call it
        raise InputError(
            "path must not be called custseg, because custseg.segments would then mean two "
            f"things, got {target} [database-name]"
        )
    opened = con.execute("select path from duckdb_databases() where path is not null").fetchall()
    place = os.path.realpath(target)
    if any(os.path.realpath(path) == place for (path,) in opened):
        raise InputError(
            f"path must be another database than those that are open, got {target} [file-taken]"
        )
    if os.path.isdir(target) or (os.path.exists(target) and not overwrite):
        raise InputError(
            f"path must be new, got {target}, which exists. overwrite=True (--overwrite) "
            "replaces a file [file-taken]"
        )


def _attach(con: duckdb.DuckDBPyConnection, path: Path, name: str, storage_version: str) -> None:
    """Make the file, which DuckDB refuses to do for a version that it does not know."""
    try:
        con.execute(attached(os.fspath(path), name, storage_version))
    except duckdb.InvalidInputException as error:
        raise InputError(
            f"storage_version must be one that this DuckDB knows, like {STORAGE_VERSION}, got "
            f"{storage_version!r} [option]"
        ) from error


def _found(con: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> dict[str, str]:
    """The user's tables: the name of each in the file, and what reads it."""
    if not isinstance(tables, Iterable):
        raise InputError(f"tables must be names, got {tables!r} [option]")
    found: dict[str, str] = {}
    for table in [tables] if isinstance(tables, str) else tables:
        require_text("tables", table)
        relation = table_named(con, table, "table")
        name = last_part(relation)
        if folded(name) in {folded(one) for one in found}:
            raise InputError(f"tables must have a name each, got {name} twice [option]")
        found[name] = relation
    return found


def _copy_results(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """All that is ours, as it is at one moment, into the attached database ``name``."""
    ((source,),) = con.execute("select current_database()").fetchall()
    with con.cursor() as other:  # so that the user's stays the current database
        present = [table for table in catalog.TABLES if exists(con, table)]
        other.execute(used_database(name))
        other.execute("begin")
        other.execute("create schema custseg")
        for path in catalog.MACROS:
            other.execute(catalog.statement(path))
        other.execute(";\n".join(documentation.comments()))
        for table in present:
            other.execute(copied_table(name, "custseg", table, table_in(source, "custseg", table)))
        for view, table in VIEWS.items():
            if table in present:
                other.execute(catalog.statement(f"run/{view}"))
        documentation.comment_results(other)
        other.execute("commit")
