"""What people plausibly do, and was answered wrongly, in silence or in foreign words."""

import datetime
import re
import zoneinfo
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

import custseg_duck
from custseg_duck import CustsegError, InputError, NotLoadedError
from tests.conftest import QUICK
from tests.test_cli import call
from tests.test_refresh import grow, rows

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")


LATEST_FEATURES = "select inputs['features'] from custseg.runs order by run_id desc limit 1"


def reasons(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(rows(con, "select reason, n_lines from custseg.line_counts"))


# --- lines ---------------------------------------------------------------------------------------


def test_a_return_lowers_the_spend_whatever_the_sign_of_its_amount(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute("""
        create table lines as
        select * from (values
            (1, 1, 1, 1, 100.0, null), (1, 2, 1, 1, 100.0, true),
            (2, 3, 1, 1, 100.0, null), (2, 4, 1, -1, 100.0, null),
            (3, 5, 1, 1, 100.0, null), (3, 6, 1, -1, -100.0, null),
            (4, 7, 1, 1, 100.0, null), (4, 8, 1, 1, -100.0, true),
            (5, 9, 1, 1, 100.0, null), (5, 10, 1, 1, -40.0, false)
        ) as lines (customer_id, order_id, product_id, quantity, amount, is_return)
    """)
    found = rows(con, "select monetary::integer from custseg.rfm('lines') order by customer_id")
    assert found == [(0,), (0,), (0,), (0,), (60,)]
    assert rows(
        con, "select amount::integer from custseg.line_report('lines') where reason = 'return'"
    ) == [(-400,)]
    con.execute("create table again as from custseg.order_lines('lines')")  # as it passes through
    assert rows(con, "from custseg.order_lines('again') order by all") == rows(
        con, "from again order by all"
    )


@pytest.mark.parametrize("column", ["ordered_at", "strftime(ordered_at, '%Y-%m-%d %H:%M:%S')"])
def test_a_bound_that_says_how_far_it_is_from_utc_is_taken_to_the_shops_clock(
    shop: duckdb.DuckDBPyConnection, column: str
) -> None:
    shop.execute(f"create view utc as select * replace ({column} as ordered_at) from order_lines")
    moment = datetime.datetime(2024, 1, 20, 9, tzinfo=NEW_YORK)
    counts = []
    for since in (
        moment,
        moment.isoformat(),
        moment.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z"),
        moment.replace(tzinfo=None),
        "2024-01-20 09:00:00",
        np.datetime64("2024-01-20T09:00"),
        pd.Timestamp(moment),
    ):
        custseg_duck.run("utc", con=shop, k=2, since=since, time_zone="america/new_york", **QUICK)
        counts.append(reasons(shop))
    assert all(found == counts[0] for found in counts)
    assert counts[0]["before since"] > 0
    kept = {
        since: rows(
            shop,
            f"select count(*) from custseg.order_lines('utc', since := {since}, "
            "time_zone := 'America/New_York')",
        )
        for since in (
            "'2024-01-20 09:00:00'",
            "'2024-01-20 09:00:00-05'",
            "timestamptz '2024-01-20 09:00:00-05'",
            "timestamp '2024-01-20 09:00:00'",
        )
    }
    assert len(set(map(str, kept.values()))) == 1, kept
    # without a zone of the shop its clock shows UTC
    assert rows(
        shop, "select count(*) from custseg.order_lines('utc', since := '2024-01-20 09:00:00-05')"
    ) == rows(shop, "select count(*) from custseg.order_lines('utc', since := '2024-01-20 14:00')")


@pytest.mark.parametrize("kind", ["bigint", "double", "decimal(10, 2)", "varchar", "blob"])
def test_excluded_items_are_found_by_their_value_not_by_its_type(
    shop: duckdb.DuckDBPyConnection, kind: str
) -> None:
    shop.execute(
        f"create view typed as select * replace (product_id::varchar::{kind} as product_id) "
        "from order_lines"
    )
    n_lines = rows(shop, "select count(*) from order_lines where product_id = 7")[0][0]
    assert n_lines
    items: tuple[Any, ...] = (7, "7", np.int64(7))
    items += (b"7",) if kind == "blob" else ()
    items += (7.0,) if kind in ("bigint", "double") else ()
    for item in items:
        custseg_duck.run("typed", con=shop, k=2, exclude_items=[item], **QUICK)
        assert reasons(shop)["excluded item"] == n_lines, item
    custseg_duck.refresh(con=shop, min_confidence=0.2)
    assert reasons(shop)["excluded item"] == n_lines


def test_text_ids_are_excluded_as_they_are_written(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("create view typed as select * replace ('7.0' as product_id) from order_lines")
    custseg_duck.run("typed", con=shop, k=2, exclude_items=["7"], **QUICK)
    assert "excluded item" not in reasons(shop)


# --- a refresh -----------------------------------------------------------------------------------


def test_a_refresh_from_another_table_goes_on_from_that_one(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    shop.execute("create table new_lines as from order_lines")
    assert not custseg_duck.refresh("new_lines", con=shop).is_unchanged
    assert custseg_duck.refresh("new_lines", con=shop).is_unchanged
    shop.execute("delete from new_lines where customer_id < 20")
    assert not custseg_duck.refresh(con=shop).is_unchanged
    ((n_customers,),) = rows(shop, "select count(distinct customer_id) from new_lines")
    assert rows(shop, "select count(*) from custseg.segments") == [(n_customers,)]


def test_a_refresh_of_files_reads_them_from_anywhere(
    shop: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, condition in (("here", "true"), ("there", "customer_id < 30")):
        (tmp_path / place / "data").mkdir(parents=True)
        file = tmp_path / place / "data" / "lines.parquet"
        shop.execute(f"copy (from order_lines where {condition}) to '{file}'")
    monkeypatch.chdir(tmp_path / "here")
    custseg_duck.run("data/*.parquet", con=shop, k=2, **QUICK)
    monkeypatch.chdir(tmp_path / "there")
    assert custseg_duck.refresh(con=shop).is_unchanged


def test_a_refresh_with_other_features_still_reads_the_lines(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    shop.execute("create table own as select range as customer_id, range % 5 as a from range(60)")
    shop.execute("create table other as select customer_id, a + 1 as a from own")
    custseg_duck.run("order_lines", features="own", con=shop, k=2, **QUICK)
    n_rows = "select count(*) from custseg.itemsets"
    before = rows(shop, n_rows)
    assert before != [(0,)]
    custseg_duck.refresh(features="other", con=shop)
    assert rows(shop, n_rows) == before
    grow(shop)
    shop.execute("insert into other values (999, 1)")
    assert not custseg_duck.refresh("order_lines", con=shop).is_unchanged
    assert rows(shop, LATEST_FEATURES) == [('"main.other"',)]


def test_a_refresh_from_lines_that_lost_a_column_says_what_is_unknown(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    shop.execute("alter table order_lines drop column amount")
    with pytest.warns(custseg_duck.CustsegWarning) as told:
        custseg_duck.refresh(con=shop, fit="frozen")
    assert any(re.search(r"monetary.*: unknown of all customers", str(w.message)) for w in told)


def test_a_refresh_without_the_model_is_refused_whatever_the_fit(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    custseg_duck.drop_model(shop)
    grow(shop)
    for fit in ("warm", "frozen", "matched"):
        with pytest.raises(InputError, match=r"one of the stored ones \(none\)") as error:
            custseg_duck.refresh(con=shop, fit=fit)
        assert error.value.code == "no-model"


def test_who_needs_to_be_outside_a_transaction_is_named(
    shop: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    custseg_duck.export_model(shop, tmp_path / "model.json")
    shop.execute("begin")
    with pytest.raises(InputError, match="refresh must be called outside a transaction"):
        custseg_duck.refresh(con=shop)
    with pytest.raises(InputError, match="import_model must be called outside a transaction"):
        custseg_duck.import_model(shop, tmp_path / "model.json")


# --- options -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"since": pd.NaT}, "since must be a date, a datetime or a text, got NaT"),
        ({"as_of": 20240101}, "as_of must be a date, a datetime or a text, got 20240101"),
        ({"weights": {("a",): 1}}, "weights must be a mapping of columns' names"),
        ({"time_zone": 5}, "time_zone must be a text, got 5"),
        (
            {"time_zone": "America", "since": datetime.datetime(2024, 1, 1, tzinfo=NEW_YORK)},
            "time_zone must be one that is known, got 'America'",
        ),
        ({"algorithm": pd.NA}, "algorithm must be one of kmeans, gmm, got <NA>"),
        ({"k": np.array([2, 3])}, "k must be an int in the range"),
        ({"exclude_items": b"7"}, "exclude_items must be a list, got b'7'"),
    ],
)
def test_options_of_odd_types_are_refused_in_our_words(
    shop: duckdb.DuckDBPyConnection, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message) as error:
        custseg_duck.run("order_lines", con=shop, **options)
    assert error.value.code == "option"


def test_numbers_of_numpy_are_numbers(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run(
        "order_lines", con=shop, k=np.int64(2), min_support=np.float32(0.05),
        min_confidence=Fraction(1, 2), weights={"monetary": np.int64(2)}, n_recommendations=0,
    )  # fmt: skip
    made = custseg_duck.frequent_itemsets(
        "order_lines", con=shop, containing=[np.int64(7)], min_support=0.01
    )
    assert made.fetchall()
    ((customer_id,),) = shop.sql("select min(customer_id) from order_lines").fetchall()
    result = custseg_duck.refresh(con=shop)
    assert result.explain(np.int64(customer_id)).fetchall()
    assert custseg_duck.drop_model(shop, version=np.int64(1)) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("containing", [1, "abc"])
def test_containing_must_be_a_list(shop: duckdb.DuckDBPyConnection, containing: Any) -> None:
    with pytest.raises(InputError, match="containing must be a list, got"):
        custseg_duck.frequent_itemsets("order_lines", con=shop, containing=containing)


# --- connections and files -----------------------------------------------------------------------


def test_the_callers_connection_has_no_result_of_ours_left_on_it(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    custseg_duck.load(shop, persist=False)
    assert shop.sql("select 42").to_arrow_table().num_rows == 1
    result = custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    assert result.summary.to_arrow_table().num_rows == 2
    refused: list[tuple[Any, dict[str, Any]]] = [
        (custseg_duck.run, {"source": "order_lines", "k": 0}),
        (custseg_duck.refresh, {"fit": "cold"}),
        (custseg_duck.frequent_itemsets, {"source": "order_lines", "into": 3}),
        (custseg_duck.export_targets, {"path": "x.txt"}),
        (custseg_duck.export_model, {"path": "x.txt"}),
        (custseg_duck.drop_model, {"version": 0}),
        (custseg_duck.export, {"path": "custseg.duckdb"}),
        (custseg_duck.export_report, {"path": "x.txt"}),
    ]
    for function, options in refused:
        with pytest.raises(InputError):
            function(con=shop, **options)
        assert repr(result).startswith("RunResult 'default': 60 customers in 2 segments")


@pytest.mark.parametrize("name", ["custseg.2024.duckdb", "CUSTSEG.v1.db", "custseg."])
def test_no_exported_file_is_called_custseg_by_duckdb(
    shop: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    with pytest.raises(InputError, match="path must not be called custseg"):
        custseg_duck.export(shop, tmp_path / name)


def test_a_read_only_database_is_exported(shop: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    custseg_duck.export(shop, tmp_path / "one.duckdb")
    with custseg_duck.connect(tmp_path / "one.duckdb", read_only=True) as con:
        custseg_duck.export(con, tmp_path / "two.duckdb")
        with pytest.raises(InputError, match="drop_model must be able to write"):
            custseg_duck.drop_model(con)
    with duckdb.connect(str(tmp_path / "two.duckdb"), read_only=True) as con:
        assert rows(con, "select count(*) from custseg.segments") == [(60,)]


# --- results -------------------------------------------------------------------------------------


def test_what_a_run_did_not_leave_is_said(shop: duckdb.DuckDBPyConnection) -> None:
    result = custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    for table in ("k_candidates", "drift", "decision_rules", "decision_tree"):
        with pytest.raises(InputError, match=r"must have left custseg\.\w+, got none") as error:
            getattr(result, table)
        assert error.value.code == "no-result"
    with pytest.raises(InputError, match="customer_id must be of the type") as error:
        result.explain("abc")
    assert error.value.code == "no-customer"
    custseg_duck.drop_model(shop)
    with pytest.raises(InputError) as error:
        result.explain(1)
    assert error.value.code == "no-model"
    shop.close()
    with pytest.raises(InputError, match="con must be an open connection"):
        _ = result.summary


def test_without_macros_it_says_how_to_get_them(
    shop: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    custseg_duck.unload(shop, keep_tables=True)
    for export in (custseg_duck.export_targets, custseg_duck.export_model):
        with pytest.raises(NotLoadedError, match=r"custseg_duck.load\(con\) writes them"):
            export(shop, tmp_path / "x.parquet")
    custseg_duck.load(shop)
    assert custseg_duck.export_targets(shop, tmp_path / "x.parquet") == 60


def test_what_else_is_called_version_is_none_of_ours(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create or replace macro custseg.version() as 'mine'")
    custseg_duck.load(con)
    assert rows(con, "select custseg.version()") == [(custseg_duck.__version__,)]
    con.execute("create or replace macro custseg.version() as '99.0.0rc1'")
    custseg_duck.load(con)
    assert rows(con, "select custseg.version()") == [("99.0.0rc1",)]


def test_an_unload_that_fails_is_an_error_of_ours(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    with shop.cursor() as other:
        other.execute("begin")
        other.execute("alter table custseg.segment_labels add column owner varchar")
        with pytest.raises(CustsegError) as error:
            custseg_duck.unload(shop)
        assert error.value.code in ("conflict", "query")
        other.execute("rollback")
    custseg_duck.unload(shop)
    assert rows(shop, "select count(*) from duckdb_schemas() where schema_name = 'custseg'") == [
        (0,)
    ]


def test_a_report_of_a_year_that_python_has_not(
    shop: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    shop.execute(
        "insert into order_lines "
        "select * replace (timestamp '20244-01-05' as ordered_at, -1 as order_id) "
        "from order_lines limit 1"
    )
    custseg_duck.run("order_lines", con=shop, k=1, **QUICK)
    page = custseg_duck.export_report(shop, tmp_path / "report.html")
    assert "20244-01-05" in page.read_text(encoding="utf-8")


def test_a_report_without_the_model_leaves_out_what_needs_it(
    shop: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    whole = custseg_duck.export_report(shop, tmp_path / "report.html").read_text(encoding="utf-8")
    custseg_duck.drop_model(shop)
    page = custseg_duck.export_report(shop, tmp_path / "report.html").read_text(encoding="utf-8")
    assert ("Where the customers stand" in whole, "Where the customers stand" in page) == (
        True,
        False,
    )


def test_tables_are_replaced_and_removed_where_views_depend_on_them(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    shop.execute("set enable_view_dependencies = true")
    for k in (2, 3):
        custseg_duck.run("order_lines", con=shop, k=k, **QUICK)
    assert rows(shop, "select count(distinct segment) from custseg.labelled_segments") == [(3,)]
    custseg_duck.unload(shop)
    assert rows(shop, "select count(*) from duckdb_views() where schema_name = 'custseg'") == [(0,)]


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def database(shop: duckdb.DuckDBPyConnection, tmp_path: Path) -> Path:
    """A file with a run."""
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    custseg_duck.export(shop, tmp_path / "shop.duckdb", tables=["order_lines"])
    return tmp_path / "shop.duckdb"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["explain", "1", "--name", "nope"], "name must be that of a run (default), got 'nope'"),
        (["show", "--name", "nope"], "name must be that of a run (default), got 'nope'"),
        (["show", "segments", "--name", "nope"], "name must be that of a run (default), got"),
        (["run", "INTERRUPT.csv"], "INTERRUPT.csv"),
        (["run", "order_lines", "-d", ""], "database must be the name of a file, got none"),
    ],
)
def test_the_command_says_it_in_one_line(
    database: Path, arguments: list[str], message: str
) -> None:
    where = () if "-d" in arguments else ("-d", database)
    done = call(*arguments, *where)
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_limit_beyond_all_rows_is_refused_by_the_option(database: Path) -> None:
    done = call("show", "segments", "--limit", "9" * 23, "-d", database)
    assert done.exit_code == 2
    assert "--limit" in done.stderr
