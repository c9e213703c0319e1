"""SQLAlchemy: every connection of an engine has the SQL surface. Needs the extra ``sqlalchemy``."""

from typing import Any

import duckdb

from custseg_duck.errors import InputError
from custseg_duck.loading import load

try:
    from sqlalchemy import Engine, event
except ImportError as error:
    raise ImportError(
        "custseg_duck.integrations.sqlalchemy needs SQLAlchemy and DuckDB's dialect for it: "
        "pip install 'custseg_duck[sqlalchemy]'"
    ) from error


def register(engine: Engine, *, persist: bool = True) -> Engine:
    """Call ``custseg_duck.load`` on every connection that the engine opens from now on.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Of a DuckDB database: ``create_engine("duckdb:///shop.duckdb")``.
    persist : bool
        False writes no macros into the database; see ``custseg_duck.load``.

    Returns
    -------
    sqlalchemy.Engine
        ``engine``.

    Raises
    ------
    InputError
        If the engine is none of DuckDB's; and when it connects, as ``custseg_duck.load``.
    """
    if engine.dialect.name != "duckdb":
        raise InputError(
            "engine must be one of DuckDB, such as create_engine('duckdb:///shop.duckdb'), "
            f"got one of {engine.dialect.name} [option]"
        )

    def loaded(connection: Any, _record: object) -> None:
        # the dialect wraps DuckDB's connection, whose execute() gives that itself
        native = connection.execute("select 1")
        if not isinstance(native, duckdb.DuckDBPyConnection):
            raise InputError(
                f"the engine must make connections of DuckDB, got {type(native).__name__} [option]"
            )
        load(native, persist=persist)

    event.listen(engine, "connect", loaded)
    return engine
