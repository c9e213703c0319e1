"""What a database or a file holds, so that it can be told whether it is as before or as after."""

import hashlib
from pathlib import Path

import duckdb

from custseg_duck.statements import table_in

# of a moment, and so other each time
PASSING = ("created_at", "seconds")
RELATIONS = """
    select schema_name, table_name from duckdb_tables()
    where database_name = current_database()
    union all
    select schema_name, view_name from duckdb_views()
    where database_name = current_database() and not internal
    order by all
"""
# DuckDB writes the names after exclude in any order
MACROS = r"""
    select
        function_name, parameters::varchar, comment,
        list_sort(regexp_extract_all(macro_definition, '\w+'))::varchar,
    from duckdb_functions()
    where database_name = current_database() and schema_name = 'custseg'
    order by all
"""
MODELS = """
    select name, version from custseg.models
    where checksum is distinct from custseg.model_checksum(model)
    or custseg.check_model(model) <> 'ok'
"""


def state_of(path: Path, *, read_only: bool = False) -> dict[str, str]:
    """A digest of each table, each view and all macros of a database file, opened anew.

    Raises
    ------
    duckdb.Error
        If it does not open, or something in it cannot be read.
    """
    with duckdb.connect(str(path), read_only=read_only) as con:
        return contents_of(con)


def contents_of(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The same of an open database."""
    found = {"macros": _digest(con.execute(MACROS).fetchall())}
    for schema, name in con.execute(RELATIONS).fetchall():
        con.execute(f"select columns(lambda c: c not in {PASSING}) from {_here(con, schema, name)}")
        found[f"{schema}.{name}"] = _digest(sorted(map(repr, con.fetchall())))
    return found


def broken_models(con: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
    """The models that are not as they were fitted."""
    found: list[tuple[str, int]] = con.execute(MODELS).fetchall()
    return found


def differences(found: dict[str, str], expected: dict[str, str]) -> str:
    """What differs, to be read by a person."""
    names = sorted(found.keys() | expected.keys())
    return ", ".join(name for name in names if found.get(name) != expected.get(name))


def bytes_of(path: Path) -> str:
    """A digest of a file, or that there is none."""
    return hashlib.md5(path.read_bytes()).hexdigest() if path.exists() else "absent"


def _here(con: duckdb.DuckDBPyConnection, schema: str, name: str) -> str:
    ((database,),) = con.execute("select current_database()").fetchall()
    return table_in(database, schema, name)


def _digest(rows: list[object]) -> str:
    return hashlib.md5(repr(rows).encode()).hexdigest()
