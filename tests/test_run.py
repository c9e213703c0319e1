"""run(): sources, what it leaves, what it refuses, and that nothing is half-written."""

import datetime
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custseg_duck
from custseg_duck import (
    CustsegWarning,
    InputError,
    MissingColumnError,
    NotLoadedError,
    RunResult,
    fitting,
    pipeline,
)

TABLES = {
    "runs", "customer_features", "segments", "segment_summary", "segment_profiles", "centroids",
    "itemset_plan", "itemsets", "rules", "segment_rules", "offer_rules", "recommendations",
    "models", "segment_history", "segment_labels", "rfm_names", "rfm_cut_points",
    "rfm_segments", "decision_trees", "segment_preferences",
}  # fmt: skip
VIEWS = {
    "decision_rules", "labelled_segments", "latest_models", "line_counts", "migrations",
    "top_rules", "top_segment_rules",
}  # fmt: skip


def snapshot(con: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of every table in custseg, and the names of everything else that exists."""
    found = {
        table: con.execute(f"from custseg.{table} order by all").fetchall()
        for (table,) in con.execute(
            "select table_name from duckdb_tables() where schema_name = 'custseg'"
        ).fetchall()
    }
    found["tables"] = con.execute("select table_name from duckdb_tables() order by all").fetchall()
    found["views"] = con.execute(
        "select view_name from duckdb_views() where not internal order by all"
    ).fetchall()
    return found


def test_a_run_leaves_these_tables_and_no_other(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=3)
    left = snapshot(shop)
    assert {table for (table,) in left["tables"]} == TABLES | {"order_lines"}
    assert {view for (view,) in left["views"]} == VIEWS
    assert len(left["segments"]) == 60


def test_sources_of_every_kind_give_the_same(
    shop: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    table = shop.sql("from order_lines").to_arrow_table()
    pq.write_table(table, tmp_path / "lines.parquet")
    shop.execute(f"copy order_lines to '{tmp_path}/lines.csv'")
    shop.execute('create schema other; create view other."odd name" as from order_lines')
    sources: list[object] = [
        "order_lines",
        'other."odd name"',
        "shop.main.order_lines",
        tmp_path / "lines.parquet",
        str(tmp_path / "lines.csv"),
        table,
        table.to_pandas(),
        polars.from_arrow(table),
        shop.sql("from order_lines"),
    ]
    found = []
    for source in sources:
        result = custseg_duck.run(source, con=shop, k=3)
        found.append(
            (
                result.segments.order("customer_id").fetchall(),
                result.rules.order("rule_id").fetchall(),
            )
        )
    assert all(rows == found[0] for rows in found)


def test_columns_of_other_names_are_mapped(shop: duckdb.DuckDBPyConnection) -> None:
    expected = custseg_duck.run("order_lines", con=shop, k=3).segments.fetchall()
    shop.execute(
        'create table t as select customer_id as "Kunden Nr", order_id as "ORDER_ID", '
        "* exclude (customer_id, order_id) from order_lines"
    )
    mapped = custseg_duck.run("t", con=shop, k=3, columns={"customer_id": "kunden nr"})
    assert mapped.segments.fetchall() == expected


def test_without_a_connection_the_result_lives_in_memory(shop: duckdb.DuckDBPyConnection) -> None:
    table = shop.sql("from order_lines").to_arrow_table()
    result = custseg_duck.run(table, k=2)
    assert repr(result).startswith("RunResult 'default': 60 customers in 2 segments (0: ")
    assert result.profiles.filter("distinctiveness_rank = 1").aggregate("count(*)").fetchall() == [
        (2,)
    ]
    result.con.close()


def test_named_runs_stand_side_by_side_and_are_replaced_alone(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, name="coarse")
    coarse = shop.execute("from custseg.segments where run_name = 'coarse'").fetchall()
    custseg_duck.run("order_lines", con=shop, k=5, name="fine")
    custseg_duck.run("order_lines", con=shop, k=4, name="fine")
    assert shop.execute("from custseg.segments where run_name = 'coarse'").fetchall() == coarse
    assert shop.execute(
        "select run_name, count(*) from custseg.segment_summary group by 1 order by 1"
    ).fetchall() == [("coarse", 2), ("fine", 4)]
    assert shop.execute("select name from custseg.models order by 1").fetchall() == [
        ("coarse",),
        ("fine",),
        ("fine",),
    ]
    assert shop.execute(
        "select run_id, count(*), max(segment) from custseg.segment_history group by 1 order by 1"
    ).fetchall() == [(1, 60, 1), (2, 60, 4), (3, 60, 3)]
    assert shop.execute("select run_id, run_name from custseg.runs order by 1").fetchall() == [
        (1, "coarse"),
        (2, "fine"),
        (3, "fine"),
    ]


def test_ids_of_another_type_are_refused_beside_another_run(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    custseg_duck.run("order_lines", con=shop, k=2)
    before = snapshot(shop)
    shop.execute(
        "create temp view t as select 'c' || customer_id as customer_id, "
        "* exclude (customer_id) from order_lines"
    )
    with pytest.raises(InputError, match=r"customer_id BIGINT against VARCHAR"):
        custseg_duck.run("t", con=shop, k=2, name="texts")
    shop.execute("drop view t")
    assert snapshot(shop) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, r"k must be an int in the range \[1, inf\), got 0"),
        ({"k": 61}, r"k must be between 1 and 51 \(the distinct rows\), got 61; there are 60"),
        ({"k": "3"}, "k must be an int"),
        ({"seed": -1}, "seed must be an int"),
        ({"min_support": 0}, r"min_support must be in \(0, 1\], got 0"),
        ({"min_support": 2}, r"min_support must be in \(0, 1\], got 2"),
        ({"min_support": 0.1, "min_count": 5}, "min_support or min_count, not both"),
        ({"min_count": 0}, "min_count must be an int"),
        ({"max_length": 0}, "max_length must be an int"),
        ({"min_confidence": 1.5}, r"min_confidence must be in \[0, 1\], got 1.5"),
        ({"returns": "ignore"}, "returns must be 'net' or 'drop', got ignore"),
        ({"duplicates": "x"}, "duplicates must be 'keep' or 'drop', got x"),
        ({"empty_lines": "x"}, "empty_lines must be 'keep' or 'drop', got x"),
        ({"name": ""}, "name must be a text"),
        ({"as_of": "yesterday"}, "yesterday"),
        ({"as_of": "1999-01-01"}, r"got none \(at or after as_of: 900\)"),
        ({"since": datetime.date(2030, 1, 1)}, r"got none \(before since: 900\)"),
        ({"include": ["monetery"]}, r"include must name numeric columns .* got \[monetery\]"),
        ({"exclude": ["monetery"]}, r"exclude must name columns .* got \[monetery\]"),
        ({"columns": {"customer": "a"}}, "columns must map names among customer_id"),
        ({"columns": {"amount": "price"}}, "columns must map to columns of order_lines, got price"),
        ({"item": "colour"}, "item must be one of"),
        ({"time_zone": "Mars/Olympus"}, "Mars/Olympus"),
    ],
)
def test_bad_options_are_refused_and_leave_the_run_before_intact(
    shop: duckdb.DuckDBPyConnection, options: dict[str, Any], message: str
) -> None:
    custseg_duck.run("order_lines", con=shop, k=2)
    before = snapshot(shop)
    with pytest.raises(InputError, match=message):
        custseg_duck.run("order_lines", con=shop, **options)
    assert snapshot(shop) == before


def test_all_missing_columns_are_named(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("create table t as select customer_id as cust, amount from order_lines")
    with pytest.raises(MissingColumnError) as caught:
        custseg_duck.run("t", con=shop)
    assert caught.value.missing == ("customer_id", "order_id", "product_id")
    assert caught.value.found == ("cust", "amount")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "no_such_table",
            "must be a table or view that exists, got 'no_such_table'; there are ord",
        ),
        ("nowhere.parquet", "must be readable, got nowhere.parquet"),
        (Path("lines.xlsx"), "must be a Parquet or CSV file, got lines.xlsx"),
        (7, "table, got int"),
        ("order_lines; drop table order_lines", "must be a table or view that exists"),
    ],
)
def test_a_bad_source_is_refused(
    shop: duckdb.DuckDBPyConnection, source: object, message: str
) -> None:
    before = snapshot(shop)
    with pytest.raises(InputError, match=message):
        custseg_duck.run(source, con=shop)
    assert snapshot(shop) == before


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("ordered_at", "'31.12.2024'", "ordered_at must be a timestamp like 2024-03-31"),
        ("amount", "'12,50 EUR'", "amount must be a number .* got '12,50 EUR'"),
        ("quantity", "'nan'::double", "quantity must be a number"),
        ("amount", "1e20", "amount must be a number"),
    ],
)
def test_values_that_do_not_fit_are_refused_with_column_and_value(
    shop: duckdb.DuckDBPyConnection, column: str, value: str, message: str
) -> None:
    shop.execute(f"create table t as select * replace ({value} as {column}) from order_lines")
    with pytest.raises(InputError, match=message):
        custseg_duck.run("t", con=shop)


def test_an_empty_table_is_refused(shop: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(InputError, match=r"got none \(it is empty\)"):
        custseg_duck.run(shop.sql("from order_lines where false"), con=shop)


def test_an_open_transaction_is_refused_and_stays_usable(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("begin; create table mine as select 1")
    with pytest.raises(InputError, match="outside a transaction"):
        custseg_duck.run("order_lines", con=shop)
    shop.execute("commit")
    assert shop.execute("select count(*) from mine").fetchall() == [(1,)]


def test_a_database_called_custseg_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no database may be called custseg"):
        custseg_duck.connect(tmp_path / "custseg.duckdb")


def test_a_read_only_file_needs_the_macros(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    duckdb.connect(str(path)).close()
    with pytest.raises(NotLoadedError, match="got a read-only one with none"):
        custseg_duck.connect(path, read_only=True)
    custseg_duck.connect(path).close()
    with custseg_duck.connect(path, read_only=True) as con:
        assert con.execute("select custseg.version()").fetchall() == [(custseg_duck.__version__,)]


def test_load_without_persist_writes_nothing(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as con:
        custseg_duck.load(con, persist=False)
        custseg_duck.load(con, persist=False)
        schemas = con.execute(
            "select schema_name from duckdb_schemas() where schema_name = 'custseg'"
        ).fetchall()
        assert schemas == []


def test_load_never_downgrades(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create or replace macro custseg.version() as '999.0.0'")
    con.execute("create or replace macro custseg.orders(lines) as table select 'newer'")
    custseg_duck.load(con)
    assert con.execute("from custseg.orders('x')").fetchall() == [("newer",)]


def test_one_segment_with_nearly_all_customers_draws_a_warning(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute("""
        create table t as
        select
            i as customer_id, i as order_id, i % 3 as product_id,
            if(i = 0, 1e6, 10 + i % 5)::decimal(18, 2) as amount
        from range(100) as r (i)
    """)
    with pytest.warns(CustsegWarning, match=r"segment 0 holds 99.0% of the customers"):
        custseg_duck.run("t", con=con, k=2, include=["monetary"])
    ((notes,),) = con.execute("select notes from custseg.runs").fetchall()
    assert "segment 0 holds 99.0%" in notes[0]


def test_shared_order_ids_draw_a_warning(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("create table t as select * replace (order_id % 100 as order_id) from order_lines")
    with pytest.warns(CustsegWarning, match="some are shared by customers"):
        custseg_duck.run("t", con=shop, k=2)


def test_vectors_beyond_the_allowed_memory_are_refused(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=2)
    before = snapshot(shop)
    ((needed,),) = shop.execute(
        "select 8 * model.n_rows * len(model.features) from custseg.models"
    ).fetchall()
    with pytest.raises(InputError, match=f"must be at least {needed} to cluster 60 customers"):
        custseg_duck.run("order_lines", con=shop, k=3, max_fit_bytes=needed - 1)
    assert snapshot(shop) == before
    custseg_duck.run("order_lines", con=shop, k=3, max_fit_bytes=needed)


def test_runs_at_the_same_time_are_all_published(tmp_path: Path) -> None:
    with custseg_duck.connect(tmp_path / "shop.duckdb") as con:
        con.execute(
            "create table lines as select i % 20 as customer_id, i as order_id, i % (i % 20 + 2) "
            "as product_id from range(2000) as r (i)"
        )
        names = [f"run {i}" for i in range(4)]
        with ThreadPoolExecutor(len(names)) as pool:
            futures = [
                pool.submit(custseg_duck.run, "lines", con=con.cursor(), k=2, name=name)
                for name in names
            ]
            for future in futures:
                future.result()
        assert con.execute("select run_id from custseg.runs order by run_id").fetchall() == [
            (1,), (2,), (3,), (4,)
        ]  # fmt: skip
        for table in ("segments", "itemsets", "segment_summary"):
            counts = con.execute(
                f"select run_name, count(*) from custseg.{table} group by all order by all"
            ).fetchall()
            assert [name for name, _ in counts] == names
            assert len({n for _, n in counts}) == 1


def test_an_interrupt_leaves_the_run_before_intact(complete_journey: Path, tmp_path: Path) -> None:
    with custseg_duck.connect(tmp_path / "shop.duckdb") as con:
        con.execute(f"attach '{complete_journey}' as source (read_only)")
        con.execute("create table small as from source.main.order_lines limit 20000")
        custseg_duck.run("small", con=con, k=2)
        before = snapshot(con)
        timer = threading.Timer(0.7, con.interrupt)
        timer.start()
        began = time.perf_counter()
        with pytest.raises(custseg_duck.CustsegError, match=r"[Ii]nterrupt"):
            custseg_duck.run("source.main.order_lines", con=con, k=2, min_support=0.0002)
        assert time.perf_counter() - began < 2
        assert snapshot(con) == before


def test_progress_names_each_step_and_moves_while_vectors_are_read(
    shop: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "BATCH_ROWS", 20)
    told: list[tuple[str, float, int]] = []
    custseg_duck.run("order_lines", con=shop, k=3, progress=lambda *args: told.append(args))
    numbers = [number for _, number, _ in told]
    assert numbers == sorted(numbers)
    assert [name for name, number, _ in told if number == int(number)] == [
        step for step in pipeline.STEPS if step not in (pipeline.CHOOSE, "feature_drift")
    ]
    fit = pipeline.STEPS.index("fit")
    assert [number - fit for name, number, _ in told if name == "fit"] == pytest.approx(
        [0, 1 / 6, 1 / 3, 1 / 2]
    )
    assert {n_steps for *_, n_steps in told} == {len(pipeline.STEPS)}


def test_returns_lower_the_spend_and_nothing_else(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        create table t as
        from (values
            ('ann', 'o1', 'tea', timestamp '2024-01-01', 1, 10.0),
            ('ann', 'o2', 'tea', timestamp '2024-01-05', -1, -25.0),
            ('bob', 'o3', 'pen', timestamp '2024-01-02', 1, 5.0),
            ('eve', 'o4', 'pen', timestamp '2024-01-02', -1, -5.0),
            (null, 'o5', 'pen', timestamp '2024-01-02', 1, 5.0)
        ) as lines (customer_id, order_id, product_id, ordered_at, quantity, amount)
    """)
    result = custseg_duck.run("t", con=con, k=2)
    assert result.features.project("customer_id, frequency, monetary, recency_days").fetchall() == [
        # ann: 10 - 25; her last purchase was 2024-01-01, the last line of all 2024-01-05
        ("ann", 1, -15.0, 5),
        ("bob", 1, 5.0, 4),
    ]
    assert result.line_counts.project("is_kept, reason, n_lines").fetchall() == [
        (True, "purchase", 2),
        (True, "return", 1),
        (False, "no customer", 1),
        (False, "return by a customer without a purchase", 1),
    ]
    dropped = custseg_duck.run("t", con=con, k=2, returns="drop")
    assert dropped.features.project("customer_id, monetary").fetchall() == [
        ("ann", 10.0),
        ("bob", 5.0),
    ]
    assert dropped.itemsets.aggregate("max(support_count)").fetchall() == [(1,)]


def test_one_customer_with_one_line_is_a_shop(con: duckdb.DuckDBPyConnection) -> None:
    lines = pa.table({"customer_id": [1], "order_id": ["a"], "product_id": [None]})
    with pytest.raises(InputError, match=r"got none \(no product: 1\)"):
        custseg_duck.run(lines, con=con, k=1)
    lines = pa.table({"customer_id": [1], "order_id": ["a"], "product_id": ["x"]})
    with pytest.raises(InputError, match=r"between 1 and 1 .* got 8; there are 1 customers"):
        custseg_duck.run(lines, con=con)
    result = custseg_duck.run(lines, con=con, k=1)
    assert result.segments.project("customer_id, segment, distance").fetchall() == [(1, 0, 0.0)]
    assert result.itemsets.project("items, support_count").fetchall() == [(["x"], 1)]


def test_identical_customers_are_one_segment(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "create table t as select i as customer_id, i as order_id, 1 as product_id, "
        "10 as amount from range(20) as r (i)"
    )
    assert custseg_duck.run("t", con=con, k=1).summary.fetchall()[0][2] == 20
    with pytest.raises(InputError, match=r"between 1 and 1 \(the distinct rows\), got 2"):
        custseg_duck.run("t", con=con, k=2)


def test_a_result_has_every_table_of_its_run(shops: dict[str, Path]) -> None:
    with duckdb.connect(str(shops["full"]), read_only=True) as con:
        custseg_duck.load(con)
        result = RunResult(con, "default")
        relations = [
            name for name, of in vars(RunResult).items()
            if isinstance(of, property)
        ]  # fmt: skip
        rows = {name: getattr(result, name).fetchall() for name in relations}
        assert [name for name in relations if not rows[name]] == []
        n_customers = len(rows["segments"])
        assert len(rows["features"]) == len(rows["rfm_segments"]) == n_customers
        assert len(rows["descriptions"]) == len(rows["summary"]) == len(rows["decision_rules"])
        customer_id = rows["segments"][0][result.segments.columns.index("customer_id")]
        assert result.explain(customer_id).fetchall()
        assert result.explain(-1).fetchall() == []
