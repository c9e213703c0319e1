"""How itemsets are mined: two entries and two methods with the same rows, limits, what is left."""

from __future__ import annotations

import os
import random
import threading
import time
import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import oracles
import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import custseg_duck
from custseg_duck import CustsegWarning, InputError, MissingColumnError, mining
from custseg_duck.cli import main

many = settings(
    max_examples=int(os.environ.get("CUSTSEG_EXAMPLES", "25")),
    deadline=None,
    derandomize=True,
)
METHODS = ("sparse", "dense")


@pytest.fixture(scope="module")
def shared() -> Iterator[duckdb.DuckDBPyConnection]:
    """One database for the tests that are many; each replaces the table ``lines``."""
    with custseg_duck.connect() as connection:
        yield connection


def write(con: duckdb.DuckDBPyConnection, orders: Sequence[Any], items: Sequence[Any]) -> None:
    """Write the lines as the table ``lines``; types as Arrow infers them."""
    con.register("incoming", pa.table({"order_id": orders, "product_id": items}))
    con.execute("create or replace table lines as from incoming")
    con.unregister("incoming")


def write_baskets(con: duckdb.DuckDBPyConnection, baskets: Mapping[int, Sequence[Any]]) -> None:
    pairs = [(order, item) for order, items in baskets.items() for item in items]
    write(con, [order for order, _ in pairs], [item for _, item in pairs])


def by_macro(con: duckdb.DuckDBPyConnection, options: str = "") -> list[tuple[Any, ...]]:
    return con.sql(
        f"from custseg.frequent_itemsets('lines', {options}) order by itemset_id"
    ).fetchall()


def by_method(con: duckdb.DuckDBPyConnection, method: str, options: str) -> list[tuple[Any, ...]]:
    """What the core gives when the plan is to count in another way."""
    con.execute(f"""
        create or replace temp table bought as from custseg.purchased_items('lines');
        create or replace temp table limits as from custseg.mining_limits('bought', {options});
        create or replace temp table items as from custseg.mined_items('bought', 'limits');
        create or replace temp table basket_rows as
        from custseg.mined_rows('bought', 'limits', 'items');
        create or replace temp table item_lines as from custseg.item_lines('lines');
        create or replace temp table plan as
        select * replace ('{method}' as method)
        from custseg.itemset_plan_of_rows('basket_rows', 'limits', 'item_lines');
        create or replace temp table pairs as from custseg.pair_counts('basket_rows', 'plan');
        create or replace temp table exact as
        from custseg.exact_rows('plan', 'basket_rows', 'pairs');
        create or replace temp table frequent as
        from custseg.frequent_pairs('plan', 'items', 'exact', 'pairs');
        create or replace temp table candidates as
        from custseg.candidate_sets('plan', 'items', 'frequent');
        create or replace temp table projected as
        from custseg.projected_pairs('plan', 'items', 'candidates');
        create or replace temp table projected_rows as
        from custseg.projected_rows('projected', 'exact');
        create or replace temp table numbered as
        from custseg.numbered_orders('projected', 'projected_rows');
        create or replace temp table blocks as
        from custseg.pair_blocks('projected', 'projected_rows', 'numbered');
        create or replace temp table counted as
        from custseg.frequent_candidates('plan', 'candidates', 'blocks');
        create or replace temp table grown as
        from custseg.grown_sets('plan', 'counted', 'blocks');
        create or replace temp table sets as from custseg.found_sets(
            'plan', 'exact', 'frequent', 'candidates', 'counted', 'grown'
        );
        create or replace temp table names as from custseg.item_names('lines');
    """)
    return con.sql(
        "from custseg.named_itemsets('sets', 'plan', 'items', 'names') order by itemset_id"
    ).fetchall()


def by_sequence(con: duckdb.DuckDBPyConnection, **options: Any) -> list[tuple[Any, ...]]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*have no item")
        found = custseg_duck.frequent_itemsets("lines", con=con, temporary=True, **options)
    return found.order("itemset_id").fetchall()


def counts(rows: Sequence[tuple[Any, ...]]) -> dict[oracles.Itemset, int]:
    return {frozenset(row[1]): row[5] for row in rows}


def temporary_objects(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [
        name
        for (name,) in con.execute(
            "select table_name from duckdb_tables() where temporary "
            "union all select view_name from duckdb_views() where temporary and not internal"
        ).fetchall()
        if name.startswith("custseg_")
    ]


# --- the same rows in every way ------------------------------------------------------------------

ORDER_IDS: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(-(2**63), 2**63 - 1),
    "text": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    "uuid": st.uuids().map(str),
}


@st.composite
def shops(draw: st.DrawFn) -> list[tuple[Any, Any]]:
    """Lines of up to 12 orders, NULLs and duplicates among them."""
    ids = draw(st.sampled_from(sorted(ORDER_IDS)))
    orders = draw(st.lists(ORDER_IDS[ids], min_size=1, max_size=12, unique=True))
    items = draw(st.lists(st.integers(-9, 9), min_size=1, max_size=7, unique=True))
    in_every_order = draw(st.booleans())
    line = st.tuples(st.sampled_from([*orders, *orders, None]), st.sampled_from([*items, None]))
    lines = draw(st.lists(line, max_size=60))
    if draw(st.booleans()):
        lines = list(dict.fromkeys(lines))  # without duplicates
    if in_every_order:
        lines += [(order, items[0]) for order in dict.fromkeys(order for order, _ in lines)]
    return lines


@many
@given(
    lines=shops(),
    min_count=st.integers(1, 4),
    max_length=st.none() | st.integers(1, 5),
)
def test_both_entries_and_both_methods_give_what_brute_force_gives(
    shared: duckdb.DuckDBPyConnection,
    lines: list[tuple[Any, Any]],
    min_count: int,
    max_length: int | None,
) -> None:
    orders = pa.array([order for order, _ in lines])
    items = pa.array([item for _, item in lines], pa.int64())
    write(shared, orders.cast(pa.int64()) if orders.type == pa.null() else orders, items)
    baskets = oracles.baskets([{"order_id": order, "item": item} for order, item in lines], "item")
    longest = "null" if max_length is None else max_length
    options = f"min_count := {min_count}, max_length := {longest}"
    rows = by_macro(shared, options)
    assert counts(rows) == oracles.frequent_itemsets(baskets, min_count, max_length)
    assert by_sequence(shared, min_count=min_count, max_length=max_length) == rows
    for method in METHODS:
        assert by_method(shared, method, options) == rows


def expected_flags(
    found: Mapping[oracles.Itemset, int], all_sets: Mapping[oracles.Itemset, int], longest: int
) -> dict[oracles.Itemset, tuple[bool | None, bool | None]]:
    """Closed: no longer set has the same count. Maximal: no longer set is frequent.

    NULL if only sets that were not counted could tell.
    """
    flags: dict[oracles.Itemset, tuple[bool | None, bool | None]] = {}
    for items, count in found.items():
        longer = [n for other, n in found.items() if items < other]
        if not longer and len(items) >= longest:
            flags[items] = (None, None)
        else:
            same = any(n == count for other, n in all_sets.items() if items < other)
            flags[items] = (not same, not longer)
    return flags


@many
@given(lines=shops(), min_count=st.integers(1, 3), max_length=st.none() | st.integers(1, 4))
def test_closed_and_maximal_are_as_defined(
    shared: duckdb.DuckDBPyConnection,
    lines: list[tuple[Any, Any]],
    min_count: int,
    max_length: int | None,
) -> None:
    baskets = oracles.baskets([{"order_id": order, "item": item} for order, item in lines], "item")
    orders = {order: number for number, order in enumerate(dict.fromkeys(o for o, _ in lines))}
    write(
        shared,
        pa.array([None if o is None else orders[o] for o, _ in lines], pa.int64()),
        pa.array([item for _, item in lines], pa.int64()),
    )
    longest = "null" if max_length is None else max_length
    rows = by_macro(shared, f"min_count := {min_count}, max_length := {longest}")
    everything = oracles.frequent_itemsets(baskets, min_count, None)
    assert {frozenset(row[1]): row[6:8] for row in rows} == expected_flags(
        counts(rows), everything, max_length or 99
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_orders", [1023, 1024, 1025, 33_000])
def test_bitmaps_of_one_and_of_many_blocks(
    shared: duckdb.DuckDBPyConnection, method: str, n_orders: int
) -> None:
    rng = random.Random(n_orders)
    baskets = {
        order: [item for item in range(5) if rng.random() < 0.3 + 0.1 * item]
        for order in range(n_orders)
    }
    write_baskets(shared, baskets)
    rows = by_method(shared, method, "min_count := 1, max_length := null")
    held = {order: set(items) for order, items in baskets.items() if items}
    assert counts(rows) == oracles.frequent_itemsets(held, 1, None)
    assert len(rows) == 31


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("place", ["first", "last"])
def test_duplicates_are_found_wherever_they_are(
    shared: duckdb.DuckDBPyConnection, method: str, place: str
) -> None:
    rng = random.Random(7)
    baskets: dict[int, list[int]] = {
        order: rng.sample(range(9), rng.randint(2, 5)) for order in range(12_000)
    }
    held = {order: set(items) for order, items in baskets.items()}
    for order in (0,) if place == "first" else (11_999,):
        baskets[order] = baskets[order] * 2
    write_baskets(shared, baskets)
    shared.execute("create or replace temp table bought as from custseg.purchased_items('lines')")
    limits = "select has_duplicates from custseg.mining_limits('temp.main.bought')"
    ((noticed,),) = shared.sql(limits).fetchall()
    assert noticed == (place == "first")
    expected = oracles.frequent_itemsets(held, 3, 4)
    assert counts(by_method(shared, method, "min_count := 3, max_length := 4")) == expected
    assert counts(by_sequence(shared, min_count=3, max_length=1)) == {
        items: count for items, count in expected.items() if len(items) == 1
    }


@pytest.mark.parametrize("kind", ["varchar", "uuid", "date", "hugeint", "decimal(9, 2)", "double"])
def test_orders_may_have_ids_of_any_type(shared: duckdb.DuckDBPyConnection, kind: str) -> None:
    write_baskets(shared, {order: range(order % 5) for order in range(1, 60)})
    expected = by_macro(shared, "min_count := 2")
    ids = {
        "uuid": f"'{uuid.UUID(int=0)}'[:24] || lpad(order_id::varchar, 12, '0')",
        "date": "date '2024-01-01' + order_id::integer",
    }
    shared.execute(
        f"create or replace table lines as select ({ids.get(kind, 'order_id')})::{kind} "
        "as order_id, product_id from lines"
    )
    assert by_macro(shared, "min_count := 2") == expected
    assert by_sequence(shared, min_count=2) == expected


# --- the plan ------------------------------------------------------------------------------------


def test_the_plan_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    # a in 3 orders, b in 2, c in 1; the fourth order has no known item; one return
    con.execute(
        "create table lines as select * from (values (1, 'a', 1), (1, 'b', 1), (1, 'c', 1), "
        "(2, 'a', 1), (2, 'b', 1), (3, 'a', 1), (4, null, 1), (5, 'a', -1), (null, 'a', 1)) "
        "as lines (order_id, product_id, quantity)"
    )
    plan = con.sql("from custseg.itemset_plan('lines', min_count := 2)")
    # a and b are frequent: 5 rows, in two orders both
    assert dict(zip(plan.columns, plan.fetchall()[0], strict=True)) == {
        "method": "dense", "n_orders": 3, "min_orders": 2, "longest": 3, "n_lines": 7,
        "n_lines_without_item": 1, "n_incomplete_orders": 0, "n_items": 2, "n_rows": 5,
        "largest_basket": 2, "n_pairs": 2,
    }  # fmt: skip


def test_many_orders_of_few_items_each_are_sparse(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "create table lines as select o as order_id, hash(o, i) % 400 as product_id "
        "from range(5000) as orders (o), range(3) as lines (i)"
    )
    plan = "select method from custseg.itemset_plan('lines', min_count := 10)"
    assert con.sql(plan).fetchall() == [("sparse",)]


def test_a_run_keeps_its_plan_and_notes_what_has_no_item(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("update order_lines set department = null where order_id = 100")
    with pytest.warns(CustsegWarning, match="3 of 900 purchases have no item"):
        custseg_duck.run("order_lines", con=shop, k=3, item="department")
    assert shop.sql(
        "select n_lines, n_lines_without_item, n_items from custseg.itemset_plan"
    ).fetchall() == [(900, 3, 4)]


def test_an_order_of_very_many_items_is_noted(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "create table lines as select 1 as order_id, range as product_id from range(1500) "
        "union all select 2, 1"
    )
    with pytest.warns(CustsegWarning, match="the largest order holds 1500 of the items"):
        found = custseg_duck.frequent_itemsets("lines", con=con, min_count=1, max_length=2)
    assert found.aggregate("count(*)").fetchall() == [(1500 + 1500 * 1499 // 2,)]


# --- limits --------------------------------------------------------------------------------------


@pytest.fixture
def busy(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """300 orders of 8 of 30 items: 435 pairs of items, 4,060 triples."""
    con.execute(
        "create table lines as select o as order_id, (hash(o, i) % 30)::integer as product_id "
        "from range(300) as orders (o), range(8) as lines (i)"
    )
    return con


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("max_pairs := 1000", r"max_pairs must be at least \d+, the number of pairs in all orders "
         r"\(the largest holds \d of the items\). Raise it, or take min_count := (\d+) or max_len"),
        ("max_candidates := 400", "max_candidates must be at least 435, the number of sets of 2 "
         "items to count. Raise it or min_support, or take max_length := 1"),
        ("max_candidates := 3000", "at least 4060, the number of sets of 3 items to count. Raise "
         "it or min_support, or take max_length := 2"),
        ("max_candidates := 0", "max_candidates must be at least 1, got 0"),
        ("on_limit := 'stop'", "on_limit must be 'error' or 'truncate', got stop"),
    ],
)  # fmt: skip
def test_too_much_to_count_is_refused_with_what_would_fit(
    busy: duckdb.DuckDBPyConnection, options: str, message: str
) -> None:
    threshold = "min_count := 40" if "pairs" in options else "min_count := 1"
    with pytest.raises(duckdb.InvalidInputException, match=message):
        by_macro(busy, f"{threshold}, max_length := null, {options}")


def test_the_count_that_is_said_to_fit_fits(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "create table lines as select o as order_id, i as product_id "
        "from range(400) as orders (o), range(20) as items (i) where o % (i + 1) = 0"
    )
    with pytest.raises(duckdb.InvalidInputException) as refused:
        by_macro(con, "min_count := 5, max_pairs := 500")
    words = str(refused.value).split()
    fitting = int(words[words.index("min_count") + 2])
    rows = by_macro(con, f"min_count := {fitting}, max_pairs := 500")
    assert counts(rows) == {
        items: count
        for items, count in counts(by_macro(con, "min_count := 5")).items()
        if count >= fitting
    }


@pytest.mark.parametrize("method", METHODS)
def test_truncated_itemsets_are_the_shorter_ones_and_say_so(
    busy: duckdb.DuckDBPyConnection, method: str
) -> None:
    if method == "sparse":  # beside them, so many rare items that bitmaps over all are slower
        busy.execute(
            "insert into lines select 1000 + o, 100 + (hash(o, i) % 2000)::integer "
            "from range(4000) as orders (o), range(2) as lines (i)"
        )
    plan = busy.sql("select method from custseg.itemset_plan('lines', min_count := 1)").fetchall()
    assert plan == [(method,)]
    whole = by_macro(busy, "min_count := 1, max_length := 4")
    limit = 5000 if method == "sparse" else 4500
    with pytest.warns(CustsegWarning, match="sets of more than 3 items were left uncounted"):
        found = by_sequence(
            busy, min_count=1, max_length=None, max_candidates=limit, on_limit="truncate"
        )
    assert all(row[-1] for row in found)
    assert counts(found) == {
        items: count for items, count in counts(whole).items() if len(items) <= 3
    }
    # what was not counted is not known
    assert {row[6] for row in found if row[3] == 3} == {None}
    assert None not in {row[6] for row in found if row[3] < 3}


def test_a_plan_within_its_limits_is_not_truncated(busy: duckdb.DuckDBPyConnection) -> None:
    rows = by_macro(busy, "min_count := 1, max_candidates := 4060, on_limit := 'truncate'")
    assert not any(row[-1] for row in rows)


# --- what is left --------------------------------------------------------------------------------


def test_the_sequence_leaves_its_table_and_no_other(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("set perfect_ht_threshold = 10")
    steps: list[str] = []
    found = custseg_duck.frequent_itemsets(
        "order_lines", con=shop, into="bought together", min_support=0.02,
        progress=lambda step, *_: steps.append(step),
    )  # fmt: skip
    assert tuple(steps) == mining.STEPS
    assert shop.sql('from "bought together"').fetchall() == found.fetchall()
    assert temporary_objects(shop) == []
    assert shop.sql("select current_setting('perfect_ht_threshold')").fetchall() == [(10,)]


def test_a_refused_sequence_leaves_nothing(busy: duckdb.DuckDBPyConnection) -> None:
    busy.execute("create table itemsets as select 42 as kept")
    with pytest.raises(InputError, match="max_candidates must be at least 435"):
        custseg_duck.frequent_itemsets("lines", con=busy, min_count=1, max_candidates=9)
    assert temporary_objects(busy) == []
    assert busy.sql("from itemsets").fetchall() == [(42,)]
    assert busy.sql("select current_setting('perfect_ht_threshold')").fetchall() == [(12,)]


def test_it_counts_where_the_configuration_is_locked(shop: duckdb.DuckDBPyConnection) -> None:
    expected = shop.sql("from custseg.frequent_itemsets('order_lines')").fetchall()
    shop.execute("set lock_configuration = true")
    found = custseg_duck.frequent_itemsets("order_lines", con=shop)
    assert found.fetchall() == expected


@pytest.mark.parametrize("entry", ["macro", "sequence"])
def test_an_interrupt_stops_it_within_a_second_and_leaves_nothing(
    con: duckdb.DuckDBPyConnection, entry: str
) -> None:
    con.execute(
        "create table lines as select o as order_id, (hash(o, i) % 60)::integer as product_id "
        "from range(60000) as orders (o), range(20) as lines (i)"
    )

    def mine() -> None:
        if entry == "macro":
            by_macro(con, "min_count := 20, max_length := 5")
        else:
            by_sequence(con, min_count=20, max_length=5)

    moments: list[float] = []

    def interrupt() -> None:
        moments.append(time.monotonic())
        con.interrupt()

    timer = threading.Timer(1.5, interrupt)
    timer.start()
    stopped = (duckdb.InterruptException, custseg_duck.QueryError)
    with pytest.raises(stopped, match=r"(?i)interrupt"):
        mine()
    assert time.monotonic() - moments[0] < 1
    assert temporary_objects(con) == []
    assert con.sql("select count(*) from lines").fetchall() == [(1_200_000,)]


def test_memory_stays_bounded(tmp_path: Any) -> None:
    with custseg_duck.connect(
        ":memory:", memory_limit="120MB", temp_directory=str(tmp_path), threads=2
    ) as con:
        con.execute(
            "create table lines as select o as order_id, "
            "(50 * ((hash(o, i) % 1000) / 1000.0) ** 2)::integer as product_id "
            "from range(300000) as orders (o), range(6) as lines (i)"
        )
        rows = by_sequence(con, min_support=0.05, max_length=3)
        assert rows == by_macro(con, "min_support := 0.05")
        assert len(rows) > 60


# --- the script ----------------------------------------------------------------------------------


def test_the_script_runs_without_python_and_gives_the_same(
    shop: duckdb.DuckDBPyConnection, tmp_path: Any
) -> None:
    shop.execute('create table "order ""lines""" as from order_lines')
    expected = shop.sql(
        "from custseg.frequent_itemsets('order_lines', min_support := 0.02, max_length := null)"
    ).fetchall()
    script = mining.script('main."order ""lines"""', min_support=0.02, max_length=None)
    shop.execute("set perfect_ht_threshold = 11")
    shop.execute(script)
    assert shop.sql("from itemsets").fetchall() == expected
    assert temporary_objects(shop) == []
    assert shop.sql("select current_setting('perfect_ht_threshold')").fetchall() == [(11,)]
    path = tmp_path / "lines.parquet"
    shop.execute(f"copy order_lines to '{path}'")
    shop.execute(mining.script(str(path), into="again", min_count=6, max_length=None))
    assert shop.sql("from again").fetchall() == expected


def test_the_command_prints_the_script_and_refuses_in_a_line() -> None:
    runner = CliRunner()
    printed = runner.invoke(
        main, ["sql", "itemsets", "lines.parquet", "--min-count", "3", "--no-macros"]
    )
    assert printed.exit_code == 0
    assert printed.output == mining.script("lines.parquet", min_count=3)
    refused = runner.invoke(main, ["sql", "itemsets", "order_lines", "--min-support", "2"])
    assert refused.exit_code == 1
    assert refused.output == "Error: min_support must be in (0, 1], got 2.0 [option]\n"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"min_support": 0}, r"min_support must be in \(0, 1\], got 0"),
        ({"min_support": 0.1, "min_count": 2}, "give min_support or min_count, not both"),
        ({"max_length": 0}, r"max_length must be an int in the range \[1, inf\), got 0"),
        ({"max_pairs": "many"}, r"max_pairs must be an int in the range \[1, inf\), got 'many'"),
        ({"on_limit": "stop"}, "on_limit must be one of error, truncate, got 'stop'"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_read(
    shop: duckdb.DuckDBPyConnection, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        custseg_duck.frequent_itemsets("nowhere", con=shop, **wrong)
    with pytest.raises(InputError, match=message):
        mining.script("order_lines", **wrong)


def test_a_missing_column_is_named(shop: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(MissingColumnError, match="order_lines must have the columns colour, got "):
        custseg_duck.frequent_itemsets("order_lines", con=shop, item="colour")
    assert temporary_objects(shop) == []
