"""What is no connection, path, name, version or such, and a connection that is not free."""

import threading
from typing import Any

import duckdb

import custseg_duck
from tests.conftest import QUICK, make_shop
from tests.error_texts.calls import Refused


def on_a_closed_connection(_: object) -> None:
    con = duckdb.connect()
    con.close()
    custseg_duck.load(con)


def beside_a_run_on_the_same_connection(_: object) -> None:
    """Run, and out of its progress from another thread once more."""
    with custseg_duck.connect() as con:
        make_shop(con)
        run_twice_at_once(con)


def run_twice_at_once(con: duckdb.DuckDBPyConnection) -> None:
    refused: list[Exception] = []

    def again() -> None:
        try:
            custseg_duck.run("order_lines", con=con, k=2, **QUICK)
        except custseg_duck.CustsegError as error:
            refused.append(error)

    def progress(*_: object) -> None:
        if not refused:
            thread = threading.Thread(target=again)
            thread.start()
            thread.join()

    custseg_duck.run("order_lines", con=con, k=2, progress=progress, **QUICK)
    raise refused[0]


def beside_an_edit_that_is_not_committed(con: duckdb.DuckDBPyConnection) -> None:
    with con.cursor() as other:
        other.execute("begin; delete from custseg.models where name = 'default'")
        custseg_duck.drop_model(con, name="default")


def calling(function: Any, *arguments: Any, **options: Any) -> Any:
    return lambda con: function(con, *arguments, **options)


def with_a_collation(_: object) -> None:
    with custseg_duck.connect() as con:
        make_shop(con)
        con.execute("set default_collation = 'nocase'")
        custseg_duck.run("order_lines", con=con, k=2, **QUICK)


REFUSED = [
    Refused(
        with_a_collation,
        "default_collation must be empty, got nocase, which takes different texts for one. "
        "Reset it: set default_collation = '' [option]",
    ),
    Refused(
        lambda con: custseg_duck.frequent_itemsets("order_lines", con=con, into=""),
        "into must be the name of a table, got '' [option]",
    ),
    Refused(
        lambda con: custseg_duck.frequent_itemsets(
            "order_lines", con=con, into="custseg_run_mine", temporary=True
        ),
        "into must not begin as our own temporary tables do, got 'custseg_run_mine' [option]",
    ),
    Refused(
        lambda _: custseg_duck.load("shop.duckdb"),  # type: ignore[arg-type]
        "con must be a connection of DuckDB, got 'shop.duckdb' [option]",
    ),
    Refused(on_a_closed_connection, "con must be an open connection, got a closed one [option]"),
    Refused(
        beside_a_run_on_the_same_connection,
        "con must be a connection that no other thread uses, got one on which a run is under way. "
        "Give each thread its own: con.cursor() [busy]",
    ),
    Refused(
        beside_an_edit_that_is_not_committed,
        "drop default: another transaction must not be writing to the tables of custseg, got one "
        "that has not ended after 2 s. Nothing was changed: commit it or roll it back, and try "
        "again [conflict]",
    ),
    Refused(calling(custseg_duck.export, 7), "path must be a text or a path, got 7 [option]"),
    Refused(
        calling(custseg_duck.export, "copy.duckdb", overwrite="no"),
        "overwrite must be True or False, got 'no' [option]",
    ),
    Refused(
        calling(custseg_duck.export, "copy.duckdb", tables=7),
        "tables must be names, got 7 [option]",
    ),
    Refused(
        lambda con: custseg_duck.run("order_lines", con=con, progress=7),  # type: ignore[arg-type]
        "progress must be callable or None, got 7 [option]",
    ),
    Refused(
        lambda con: custseg_duck.run("order_lines", con=con, columns=["a"]),  # type: ignore[arg-type]
        "columns must map names to names, got ['a'] [option]",
    ),
    Refused(
        calling(custseg_duck.drop_model, version=0),
        "version must be a whole number of at least 1 or None, got 0 [option]",
    ),
    Refused(
        calling(custseg_duck.export_targets, "targets.csv", segments="Loyal"),
        "segments must be a list of labels or numbers, got 'Loyal' [option]",
    ),
]
