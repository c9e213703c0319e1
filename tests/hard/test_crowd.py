"""A slice of ``crowd``: all of them for a few seconds, and what it found, each by itself."""

import threading
import time

import duckdb
import pytest

import custseg_duck
from custseg_duck import publishing
from tests.conftest import QUICK
from tests.hard import crowd


def test_readers_see_whole_runs() -> None:
    figure = crowd.tried(4, seed=0)
    assert not figure.failures
    assert figure.counts["runs"] + figure.counts["refreshes"] > 0
    assert figure.counts["reads"] > 8


@pytest.fixture
def editing(shop: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A cursor in a transaction that has edited a label, after a run."""
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    cursor = shop.cursor()
    cursor.execute("begin")
    cursor.execute("update custseg.segment_labels set label = 'mine' where segment = 0")
    return cursor


LABEL = "select label from custseg.segment_labels where segment = 0"


def test_an_edit_that_is_not_committed_yet_is_waited_for(
    shop: duckdb.DuckDBPyConnection, editing: duckdb.DuckDBPyConnection
) -> None:
    timer = threading.Timer(0.3, editing.commit)

    def commit_soon(step: str, *_: object) -> None:
        if step == "publish":
            timer.start()

    # which segment the label belongs to now is found out before the fit, and it came after
    with pytest.warns(custseg_duck.CustsegWarning, match="mine"):
        custseg_duck.run("order_lines", con=shop, k=2, progress=commit_soon, **QUICK)
    timer.join()
    assert shop.execute("select count(*) from custseg.runs").fetchall() == [(2,)]


def test_an_edit_that_is_never_committed_is_named_and_nothing_is_changed(
    shop: duckdb.DuckDBPyConnection, editing: duckdb.DuckDBPyConnection
) -> None:
    began = time.monotonic()
    with pytest.raises(custseg_duck.CustsegError, match=r"another transaction .* try again") as it:
        custseg_duck.run("order_lines", con=shop, k=3, **QUICK)
    assert it.value.code == "conflict"
    assert isinstance(it.value.__cause__, duckdb.TransactionException)
    assert time.monotonic() - began < 10
    editing.rollback()
    assert shop.execute("select count(*) from custseg.runs").fetchall() == [(1,)]
    assert shop.execute("select max(segment) from custseg.segments").fetchall() == [(1,)]
    custseg_duck.run("order_lines", con=shop, k=3, **QUICK)


def edited_meanwhile(shop: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Edits a label when the next run has begun to publish, and does not see it any more."""
    begun = publishing._next_run_id
    edits: list[str] = []

    def edited(con: duckdb.DuckDBPyConnection) -> int:
        number = begun(con)
        if not edits:
            with shop.cursor() as other:
                other.execute("update custseg.segment_labels set label = 'mine' where segment = 0")
            edits.append("mine")
        return number

    monkeypatch.setattr(publishing, "_next_run_id", edited)
    return edits


def test_an_edit_that_is_committed_while_another_run_is_published_is_kept(
    shop: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    edits = edited_meanwhile(shop, monkeypatch)
    custseg_duck.run("order_lines", con=shop, k=2, name="other", **QUICK)
    assert edits
    assert shop.execute(f"{LABEL} and run_name = 'default'").fetchall() == [("mine",)]


def test_an_edit_that_is_committed_while_its_run_is_replaced_is_not_lost_in_silence(
    shop: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    edits = edited_meanwhile(shop, monkeypatch)
    with pytest.warns(custseg_duck.CustsegWarning, match="mine"):
        custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    assert edits


def test_a_second_run_on_one_connection_is_refused(shop: duckdb.DuckDBPyConnection) -> None:
    errors: list[BaseException] = []

    def again(*_: object) -> None:
        def run() -> None:
            try:
                custseg_duck.run("order_lines", con=shop, k=2, name="other")
            except custseg_duck.InputError as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()

    custseg_duck.run("order_lines", con=shop, k=2, progress=again, **QUICK)
    assert {getattr(error, "code", "") for error in errors} == {"busy"}
    assert "con.cursor()" in str(errors[0])
    assert shop.execute("select run_name from custseg.runs").fetchall() == [("default",)]
