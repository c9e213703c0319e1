"""Registers the UDFs: once per database instance, the callables kept alive for good."""

import logging
import threading

import duckdb
from duckdb.func import FunctionNullHandling, PythonUDFType

from custseg_duck.udfs import UDFS

logger = logging.getLogger(__name__)
_lock = threading.Lock()


def are_registered(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether every UDF can be called on ``con``."""
    return all(udf.name in _present(con) for udf in UDFS)


def register(con: duckdb.DuckDBPyConnection) -> None:
    """Make the UDFs callable on every connection to ``con``'s database instance.

    They are never removed: DuckDB needs a callable for as long as anyone may call it,
    and ``UDFS`` holds each one for the life of the process.
    """
    with _lock:
        present = _present(con)
        for udf in UDFS:
            if udf.name in present:
                continue
            logger.debug("create_function %s", udf.name)
            con.create_function(
                udf.name,
                udf.function,
                [duckdb.sqltype(argument) for argument in udf.argument_types],
                duckdb.sqltype(udf.return_type),
                type=PythonUDFType.ARROW,
                null_handling=FunctionNullHandling.SPECIAL,
            )


def _present(con: duckdb.DuckDBPyConnection) -> set[str]:
    return {
        name
        for (name,) in con.execute(
            "select distinct function_name from duckdb_functions() "
            "where database_name = 'system' and starts_with(function_name, 'custseg_')"
        ).fetchall()
    }
