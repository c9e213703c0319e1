"""What stops when somebody interrupts, and what must be done all the same.

``con.interrupt()`` ends the query that runs, and nobody is told if none does. So one runs beside
long work in Python: rows are read of it now and then, which fails once the connection was
interrupted.
"""

import contextlib
import ctypes
import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import duckdb

from custseg_duck.errors import InputError, QueryError

Found = TypeVar("Found")

LOOK_EVERY = 0.05  # seconds
GRACE = 0.5  # seconds to end in; after it, the work ends alone, with the array operation it is in

CHUNK_ROWS = 2048  # what DuckDB has ready it gives without a look at the interrupt
WATCHED = "select 1 from range(9000000000000000000)"


class _Stopped(BaseException):
    """Ends the thread."""


class _Work(threading.Thread, Generic[Found]):
    """Work in a thread of its own, and what came of it."""

    def __init__(self, work: Callable[[], Found]) -> None:
        super().__init__(name="custseg fit", daemon=True)
        self._work = work
        self.found: list[Found] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.found.append(self._work())
        except _Stopped:
            pass
        except BaseException as error:
            self.error = error
        finally:
            del self._work  # and the points with it

    def stop(self) -> None:
        """Raise in the thread, once it is back from what numpy is doing."""
        if self.ident is not None and self.is_alive():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self.ident), ctypes.py_object(_Stopped)
            )


def stoppable(con: duckdb.DuckDBPyConnection, step: str, work: Callable[[], Found]) -> Found:
    """Do work that does not touch ``con``, and give up as soon as that is interrupted.

    Raises
    ------
    QueryError
        If ``con.interrupt()`` was called.
    BaseException
        What the work raises, and KeyboardInterrupt where that is.
    """
    thread = _Work(work)
    try:
        con.execute(WATCHED)
        thread.start()
        while thread.is_alive():
            con.fetchmany(CHUNK_ROWS)
            thread.join(LOOK_EVERY)
    except duckdb.InterruptException as error:
        raise QueryError(step, WATCHED, error) from error
    finally:
        if thread.is_alive():
            thread.stop()
            thread.join(GRACE)
        surely(con, "select 1")  # an open result would be in the way of others
    if thread.error is not None:
        raise thread.error
    return thread.found[0]


_lock = threading.Lock()
# Connections on which temporary tables are being made, and the thread that makes them
_busy: "weakref.WeakKeyDictionary[duckdb.DuckDBPyConnection, int]" = weakref.WeakKeyDictionary()


@contextlib.contextmanager
def alone(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Keep others from making temporary tables of the same names on a connection.

    Raises
    ------
    InputError
        If that is being done.
    """
    with _lock:
        if con in _busy:
            raise _in_use()
        _busy[con] = threading.get_ident()
    try:
        yield
    finally:
        del _busy[con]


def require_idle(con: duckdb.DuckDBPyConnection) -> None:
    """Refuse a connection that another thread is working on, before anything is executed on it.

    Raises
    ------
    InputError
        If one is.
    """
    if _busy.get(con, threading.get_ident()) != threading.get_ident():
        raise _in_use()


def _in_use() -> InputError:
    return InputError(
        "con must be a connection that no other thread uses, got one on which a run is under way. "
        "Give each thread its own: con.cursor() [busy]"
    )


@contextlib.contextmanager
def interruptible(con: duckdb.DuckDBPyConnection, what: str) -> Iterator[None]:
    """Give an interrupt to the caller as what it is, whatever it hit.

    Raises
    ------
    KeyboardInterrupt
        Or what else the caller makes of Ctrl-C, also where DuckDB made another error of it.
    QueryError
        If ``con.interrupt()`` was called.
    """
    with _ctrl_c_interrupts(con) as raised:
        try:
            yield
        except Exception as error:
            if raised and error is not raised[0]:
                raise raised[0] from error
            if isinstance(error, duckdb.InterruptException):
                raise QueryError(what, "", error) from error
            raise


@contextlib.contextmanager
def _ctrl_c_interrupts(con: duckdb.DuckDBPyConnection) -> Iterator[list[BaseException]]:
    """Ctrl-C also interrupts a connection, and what it raised is in the list.

    DuckDB alone gives up then, but waits for its other threads, which go on with what they are at.
    """
    handler = signal.getsignal(signal.SIGINT)
    raised: list[BaseException] = []
    if not callable(handler):
        yield raised
        return

    def handle(*args: Any) -> None:
        try:
            handler(*args)
        except BaseException as error:
            raised.append(error)
            con.interrupt()
            raise

    with _sigint(handle):
        yield raised


def surely(con: duckdb.DuckDBPyConnection, *statements: str) -> list[tuple[Any, ...]]:
    """Execute statements that take no time and must not be left out, interrupted or not.

    Returns
    -------
    list of tuple
        The rows of the last one.

    Raises
    ------
    KeyboardInterrupt
        Once all is done, if Ctrl-C was pressed meanwhile.
    """
    rows: list[tuple[Any, ...]] = []
    with _ctrl_c_deferred():
        for statement in statements:
            done = False
            while not done:
                with contextlib.suppress(duckdb.InterruptException):
                    rows = con.execute(statement).fetchall()
                    done = True
    return rows


@contextlib.contextmanager
def _ctrl_c_deferred() -> Iterator[None]:
    """Ctrl-C does what it does once all within is done."""
    pressed: list[object] = []
    try:
        with _sigint(lambda *_: pressed.append(None)):
            yield
    finally:
        if pressed:
            signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def _sigint(handle: Callable[..., None]) -> Iterator[None]:
    """Another handler of Ctrl-C, in the thread that gets it, if the one before can be put back."""
    handler = signal.getsignal(signal.SIGINT)
    # one that is not Python's is None, and could not
    if threading.current_thread() is not threading.main_thread() or handler is None:
        yield
        return
    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
