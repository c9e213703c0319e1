"""All or nothing, and tidied up afterwards. The error that is told is the one that came first."""

import contextlib
from collections.abc import Callable, Iterator

import duckdb


@contextlib.contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All that is executed within is there afterwards, or on any error nothing of it.

    A commit that failed, as on a full disk, has rolled back already, or DuckDB has shut the
    database down: what the rollback says then is not what went wrong.
    """
    con.execute("begin")
    with tidied(lambda: con.execute("rollback"), only_on_error=True):
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
