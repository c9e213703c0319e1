"""A slice of ``interrupts``, and what it found, each by itself."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import numpy as np
import pytest

import custseg_duck
from custseg_duck import fitting, stopping, tables
from tests.conftest import QUICK
from tests.hard import interrupts


def test_stages_stop_when_told() -> None:
    figure = interrupts.tried(6, seed=0, jobs=["run by points", "frequent_itemsets"])
    assert not figure.failures
    assert figure.counts["interrupts"] + figure.counts["that came when it was done"] == 6
    assert figure.counts["phases"] > 20


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A fit that would go on for half a minute: how many iterations it has done."""
    iterations: list[int] = []

    def fit(*_: object, **__: object) -> None:
        matrix = np.ones((300, 300))
        until = time.monotonic() + 30
        while time.monotonic() < until:
            matrix @ matrix
            iterations.append(1)

    monkeypatch.setattr(fitting.kmeans, "fit", fit)
    return iterations


def test_a_fit_stops_though_no_query_runs(
    shop: duckdb.DuckDBPyConnection, endless: list[int]
) -> None:
    moments: list[float] = []

    def interrupt() -> None:
        while not endless:
            time.sleep(0.01)
        moments.append(time.monotonic())
        shop.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(custseg_duck.QueryError, match=r"fit: .*Interrupted") as error:
        custseg_duck.run("order_lines", con=shop, k=2)
    assert time.monotonic() - moments[0] < 1
    assert isinstance(error.value.__cause__, duckdb.InterruptException)
    thread.join()
    done = len(endless)
    time.sleep(0.2)
    assert len(endless) == done  # nothing goes on in the background
    assert shop.execute("select count(*) from duckdb_tables() where temporary").fetchall() == [(0,)]


def test_what_work_raises_is_raised(shop: duckdb.DuckDBPyConnection) -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        stopping.stoppable(shop, "fit", fail)
    assert stopping.stoppable(shop, "fit", lambda: 42) == 42


def test_what_is_told_to_stop_again_and_again_cleans_up(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    is_done = threading.Event()

    def interrupt() -> None:
        while not is_done.wait(0.0005):
            shop.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(custseg_duck.CustsegError, match="nterrupted"):
            custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    finally:
        is_done.set()
        thread.join()
    assert (
        shop.execute(
            "select table_name from duckdb_tables() where temporary union all "
            "select view_name from duckdb_views() where temporary and not internal"
        ).fetchall()
        == []
    )
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)


def test_a_run_begins_without_what_one_before_has_left(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("create temp table custseg_run_lines as select 1 as left_behind")
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    assert shop.execute("select count(*) from duckdb_tables() where temporary").fetchall() == [(0,)]


class Impatient:
    """A connection on which everybody asks to stop: by Ctrl-C, and by interrupt."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.asked = 3

    def execute(self, statement: str) -> duckdb.DuckDBPyConnection:
        signal.raise_signal(signal.SIGINT)
        self.asked -= 1
        if self.asked > 0:
            raise duckdb.InterruptException("INTERRUPT Error: Interrupted!")
        return self.con.execute(statement)


def test_what_must_be_done_is_done_and_ctrl_c_is_passed_on(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    con: Any = Impatient(shop)
    with pytest.raises(KeyboardInterrupt):
        stopping.surely(con, "drop table order_lines", "create table done as select 1")
    assert shop.execute("show tables").fetchall() == [("done",)]


@contextlib.contextmanager
def on_ctrl_c(handler: Callable[..., None]) -> Iterator[None]:
    """Handle Ctrl-C in another way."""
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_stops_the_other_threads_of_a_query_too(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("set threads = 2; create temp table numbers as from range(3_000_000) as t (n)")
    moments: list[float] = []

    def press() -> None:
        moments.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    def work() -> None:
        threading.Timer(0.3, press).start()
        with stopping.interruptible(shop, "sum"):
            shop.execute("create table sums as select sum(list_sum(range(n % 2000))) from numbers")

    with on_ctrl_c(signal.default_int_handler), pytest.raises(KeyboardInterrupt):
        work()
    assert time.monotonic() - moments[0] < 1
    assert shop.execute("select 1").fetchall() == [(1,)]


def test_ctrl_c_does_what_the_callers_handler_says(shop: duckdb.DuckDBPyConnection) -> None:
    pressed: list[int] = []

    def press(step: str, *_: object) -> None:
        if step == "fit":
            signal.raise_signal(signal.SIGINT)

    def note(*_: object) -> None:
        pressed.append(1)

    def give_up(*_: object) -> None:
        raise TimeoutError("enough")

    with on_ctrl_c(give_up), pytest.raises(TimeoutError, match="enough"):
        custseg_duck.run("order_lines", con=shop, k=2, progress=press, **QUICK)
    assert not tables.exists(shop, "runs")
    with on_ctrl_c(note):  # as a server does, which ends what it is at
        custseg_duck.run("order_lines", con=shop, k=2, progress=press, **QUICK)
        assert signal.getsignal(signal.SIGINT) is note
    assert pressed
