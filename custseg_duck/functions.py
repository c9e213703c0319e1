"""Registers the UDFs: once per database instance, the callables kept alive for good."""

import logging
import threading

import duckdb
from duckdb.func import FunctionNullHandling, PythonUDFType

from custseg_duck.errors import InputError
from custseg_duck.statements import described_call
from custseg_duck.udfs import UDFS, Udf

logger = logging.getLogger(__name__)
_lock = threading.Lock()


def missing(con: duckdb.DuckDBPyConnection) -> list[Udf]:
    """List the UDFs that cannot be called on ``con`` yet."""
    if not in_transaction(con):
        if _is_there(con, UDFS[-1]):  # the one that is registered last
            return []
        if not _is_there(con, UDFS[0]):
            return list(UDFS)
    present = {
        name
        for (name,) in con.execute(
            "select distinct function_name from duckdb_functions() "
            "where database_name = 'system' and starts_with(function_name, 'custseg_')"
        ).fetchall()
    }
    return [udf for udf in UDFS if udf.name not in present]


def register(con: duckdb.DuckDBPyConnection) -> None:
    """Make the UDFs callable on every connection to ``con``'s database instance.

    They are never removed: DuckDB needs a callable for as long as anyone may call it,
    and ``UDFS`` holds each one for the life of the process.

    Raises
    ------
    InputError
        If there is something to register and a transaction is open: rolled back, the
        connection could never register it again.
    """
    with _lock:
        udfs = missing(con)
        if udfs and in_transaction(con):
            raise InputError(
                "load must be called outside a transaction the first time, got an open one. "
                "Commit or roll back first [transaction]"
            )
        for udf in udfs:
            logger.debug("create_function %s", udf.name)
            con.create_function(
                udf.name,
                udf.function,
                [duckdb.sqltype(argument) for argument in udf.argument_types],
                duckdb.sqltype(udf.return_type),
                type=PythonUDFType.ARROW,
                null_handling=FunctionNullHandling.SPECIAL,
            )


def _is_there(con: duckdb.DuckDBPyConnection, udf: Udf) -> bool:
    """Whether a call binds, which takes a tenth of the time of looking through all functions."""
    try:
        con.execute(described_call(udf.name, len(udf.argument_types))).fetchall()
    except (duckdb.BinderException, duckdb.CatalogException):
        return False
    return True


def in_transaction(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether a transaction is open: outside of one, every statement has its own number."""
    try:
        ((first,),) = con.execute("select txid_current()").fetchall()
        ((second,),) = con.execute("select txid_current()").fetchall()
    except duckdb.TransactionException:  # aborted, but not rolled back yet
        return True
    return bool(first == second)
