"""All or nothing, and tidied up afterwards. The error that is told is the one that came first."""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import duckdb

from custseg_duck.errors import CustsegError
from custseg_duck.stopping import surely

Done = TypeVar("Done")

# Seconds to wait before each further attempt: a user's edit of some labels is long committed then
WAITS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

_CONFLICT = re.compile("conflict|another transaction|has been altered", re.IGNORECASE)

_writing = threading.Lock()


@contextlib.contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All that is executed within is there afterwards, or on any error nothing of it.

    No transaction may be open. An interrupt can hit where ``begin`` has done its work, and so that
    is rolled back too. A commit that failed, as on a full disk, has rolled back already, or DuckDB
    has shut the database down: what the rollback says then is not what went wrong.
    """
    with tidied(lambda: surely(con, "rollback"), only_on_error=True):
        con.execute("begin")
        yield
        con.execute("commit")


@contextlib.contextmanager
def tidied(tidy: Callable[[], object], *, only_on_error: bool = False) -> Iterator[None]:
    """Tidy up afterwards, also after an error, which is not hidden by one in tidying up."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(duckdb.Error):
            tidy()
        raise
    if not only_on_error:
        tidy()


def write(con: duckdb.DuckDBPyConnection, what: str, statements: Callable[[], Done]) -> Done:
    """Write to tables of custseg in one transaction, after others of ours have ended.

    Of two transactions that write to one table DuckDB refuses one; only one process can write to a
    database, so the others are threads. What the user's own transaction has written to, we wait
    for, two seconds in all.

    Parameters
    ----------
    what : str
        What could not be done, for the error.
    statements : callable
        Executes them; called again if that did not succeed.

    Raises
    ------
    CustsegError
        If a transaction of somebody else's has written to these tables, and does not end.
    """
    for wait in (*WAITS, None):
        try:
            with _writing, transaction(con):
                return statements()
        except (duckdb.TransactionException, CustsegError) as error:
            conflict = error if isinstance(error, duckdb.Error) else error.__cause__
            # a full disk fails a commit as a TransactionException too
            if not isinstance(conflict, duckdb.TransactionException) or not _CONFLICT.search(
                str(conflict)
            ):
                raise
            if wait is None:
                raise CustsegError(
                    f"{what}: another transaction must not be writing to the tables of custseg, "
                    f"got one that has not ended after {sum(WAITS):.0f} s. Nothing was changed: "
                    "commit it or roll it back, and try again",
                    "conflict",
                ) from conflict
            time.sleep(wait)
    raise AssertionError
