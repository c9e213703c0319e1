"""Itemsets and rules against every subset counted, against mlxtend, and against what is known."""

# hypothesis keeps the annotations of fixtures for ever, and DuckDB complains at exit if its classes
# are among them; as texts they are not
from __future__ import annotations

import math
import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

import duckdb
import oracles
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlxtend import frequent_patterns
from shops import medium_baskets

import custseg_duck
from custseg_duck.demo import data_folder

MEASURES = (
    "antecedent_support",
    "consequent_support",
    "support",
    "support_count",
    "confidence",
    "lift",
    "leverage",
    "conviction",
    "zhangs_metric",
    "jaccard",
    "cosine",
    "kulczynski",
)
# each example replaces the table that it reads
every_small_database = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
)


@pytest.fixture(scope="module")
def shared() -> Iterator[duckdb.DuckDBPyConnection]:
    """One database for the tests that are many; each replaces the table ``lines``."""
    with custseg_duck.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def complete_journey_baskets(shared: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The categories in each basket of a real grocer, in the table ``complete_journey``."""
    folder = data_folder()
    shared.execute(
        "create table complete_journey as "
        "select basket_id as order_id, product_category as category "
        "from read_parquet($transactions) join read_parquet($products) using (product_id)",
        {
            "transactions": str(folder / "transactions.parquet"),
            "products": str(folder / "products.parquet"),
        },
    )
    return shared


# --- what the macros give ------------------------------------------------------------------------


def write_baskets(
    con: duckdb.DuckDBPyConnection, lines: Sequence[oracles.Line], item_type: str
) -> None:
    """Write order_id, item and quantity as the table ``lines``."""
    items = [None if line["item"] is None else str(line["item"]) for line in lines]
    columns = {
        "order_id": pa.array([line["order_id"] for line in lines], pa.int64()),
        "item": pa.array(items, pa.string()),
        "quantity": pa.array([line.get("quantity", 1) for line in lines], pa.int64()),
    }
    con.register("incoming", pa.table(columns))
    con.execute(
        f"create or replace table lines as select order_id, item::{item_type} as item, quantity "
        "from incoming"
    )
    con.unregister("incoming")


def write_orders(con: duckdb.DuckDBPyConnection, orders: Mapping[int, set[str]]) -> None:
    """Write baskets of texts as the table ``lines``."""
    lines = [{"order_id": order, "item": item} for order, items in orders.items() for item in items]
    write_baskets(con, lines, "varchar")


def mined(con: duckdb.DuckDBPyConnection, options: str) -> dict[oracles.Itemset, int]:
    """The itemsets and their counts, in the table ``itemsets`` too; what each row says is checked.

    An itemset that comes twice, is not sorted or has a wrong length fails here.
    """
    con.execute(
        "create or replace table itemsets as "
        f"from custseg.frequent_itemsets('lines', item := 'item', {options})"
    )
    rows = con.sql(
        "select itemset_id, items, items = list_sort(items), item_names, length, support_count "
        "from itemsets order by itemset_id"
    ).fetchall()
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    order = [(length, -count) for *_, length, count in rows]
    assert order == sorted(order)
    for _, items, is_sorted, names, length, _ in rows:
        assert is_sorted
        assert len(items) == len(set(items)) == length
        assert names == [None] * length
    counts = {frozenset(items): count for _, items, *_, count in rows}
    assert len(counts) == len(rows)
    return counts


def shares(con: duckdb.DuckDBPyConnection) -> dict[oracles.Itemset, float]:
    """The support of every set in the table ``itemsets``."""
    rows = con.sql("select items, support from itemsets").fetchall()
    return {frozenset(items): support for items, support in rows}


def ruled(
    con: duckdb.DuckDBPyConnection, options: str
) -> dict[tuple[oracles.Itemset, oracles.Itemset], oracles.Row]:
    """The rules from the table ``itemsets``, by antecedents and consequents."""
    rows = con.sql(
        "select rule_id, antecedents, consequents, "
        "antecedents = list_sort(antecedents) and consequents = list_sort(consequents), "
        f"{', '.join(MEASURES)} from custseg.association_rules('itemsets', {options}) "
        "order by rule_id"
    ).fetchall()
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert all(is_sorted for _, _, _, is_sorted, *_ in rows)
    rules = {
        (frozenset(antecedents), frozenset(consequents)): dict(zip(MEASURES, values, strict=True))
        for _, antecedents, consequents, _, *values in rows
    }
    assert len(rules) == len(rows)
    lifts = [rule["lift"] for rule in rules.values()]
    assert all(after <= before * (1 + 1e-12) for before, after in pairwise(lifts))
    return rules


def assert_same_rules(
    got: dict[tuple[oracles.Itemset, oracles.Itemset], oracles.Row],
    expected: dict[tuple[oracles.Itemset, oracles.Itemset], oracles.Row],
) -> None:
    """Equal rules and measures; floats within 1e-9."""
    assert set(got) == set(expected)
    for rule, measures in expected.items():
        for name, value in measures.items():
            found = got[rule][name]
            same = found is None if value is None else found is not None and close(found, value)
            assert same, (rule, name, found, value)


def close(found: float, value: float) -> bool:
    return math.isclose(found, value, rel_tol=1e-9, abs_tol=1e-12)


# --- every subset counted ------------------------------------------------------------------------

ITEMS: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(0, 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "varchar": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    "uuid": st.uuids(),
    "date": st.dates(date(1900, 1, 1), date(2100, 1, 1)),
}
SHAPES = ("any", "any", "any", "any", "all equal", "an item in every order", "one item")


@st.composite
def databases(draw: st.DrawFn) -> tuple[str, list[oracles.Line]]:
    """A type of items, and lines: NULLs, returns and duplicates among them."""
    kind = draw(st.sampled_from(sorted(ITEMS)))
    items = draw(st.lists(ITEMS[kind], min_size=1, max_size=6, unique=True))
    shape = draw(st.sampled_from(SHAPES))
    if shape == "one item":
        items = items[:1]
    if shape == "all equal":
        orders = draw(st.integers(0, 9))
        lines = [{"order_id": o, "item": item} for o in range(orders) for item in items]
    else:
        order_ids = st.one_of(st.none(), st.integers(-2, 9), st.integers(-2, 9))
        line = st.fixed_dictionaries(
            {
                "order_id": order_ids,
                "item": st.sampled_from([*items, *items, None]),
                "quantity": st.sampled_from([1, 1, 1, 1, 1, 1, 2, -1, 0, None]),
            }
        )
        lines = draw(st.lists(line, max_size=50))
    if shape == "an item in every order":
        lines += [{"order_id": line["order_id"], "item": items[0]} for line in lines]
    return kind, draw(st.permutations(lines))


def thresholds() -> st.SearchStrategy[tuple[str, Any]]:
    """min_support or min_count, as one would write it."""
    support = st.one_of(
        st.sampled_from([percent / 100 for percent in range(1, 101)]),
        st.sampled_from([1 / orders for orders in range(1, 13)]),
        st.floats(1e-6, 1),
    )
    return st.one_of(
        st.tuples(st.just("min_support"), support),
        st.tuples(st.just("min_count"), st.integers(1, 6)),
    )


@every_small_database
@given(
    database=databases(),
    threshold=thresholds(),
    max_length=st.none() | st.sampled_from(range(1, 7)),
)
def test_itemsets_are_those_of_brute_force(
    shared: duckdb.DuckDBPyConnection,
    database: tuple[str, list[oracles.Line]],
    threshold: tuple[str, Any],
    max_length: int | None,
) -> None:
    kind, lines = database
    write_baskets(shared, lines, kind)
    baskets = oracles.baskets(lines, "item")
    name, value = threshold
    least = value if name == "min_count" else oracles.min_count_of(value, len(baskets))
    expected = oracles.frequent_itemsets(baskets, least, max_length)
    limit = "null" if max_length is None else max_length
    assert mined(shared, f"{name} := {value!r}, max_length := {limit}") == expected
    assert shares(shared) == {
        items: pytest.approx(count / len(baskets), rel=1e-12) for items, count in expected.items()
    }


@settings(every_small_database, max_examples=60)
@given(
    database=databases(),
    min_count=st.integers(1, 3),
    min_confidence=st.sampled_from([f"{twentieths * 0.05:.2f}" for twentieths in range(21)]),
    limits=st.tuples(*[st.none() | st.integers(1, 4)] * 2),
)
def test_rules_and_their_measures_are_those_of_the_definitions(
    shared: duckdb.DuckDBPyConnection,
    database: tuple[str, list[oracles.Line]],
    min_count: int,
    min_confidence: str,
    limits: tuple[int | None, int | None],
) -> None:
    kind, lines = database
    write_baskets(shared, lines, kind)
    baskets = oracles.baskets(lines, "item")
    counts = mined(shared, f"min_count := {min_count}, max_length := null")
    antecedents, consequents = ("null" if limit is None else limit for limit in limits)
    assert_same_rules(
        ruled(
            shared,
            f"min_confidence := {min_confidence}, max_antecedents := {antecedents}, "
            f"max_consequents := {consequents}",
        ),
        oracles.association_rules(counts, len(baskets), min_confidence, *limits),
    )


@pytest.mark.parametrize("n_orders", [1, 255, 256, 257, 511, 513, 1023, 1024, 1025, 4096, 4097])
def test_no_order_is_lost_where_a_bitmap_is_full(
    shared: duckdb.DuckDBPyConnection, n_orders: int
) -> None:
    rng = random.Random(n_orders)
    # all five items are in the first and the last order; the rarest in n_orders of them
    baskets = {order: set("abcde") for order in range(n_orders)}
    for order in range(1, n_orders - 1):
        baskets[order] -= {item for item in "bcde" if rng.random() < 0.2}
    for order in range(n_orders, 2 * n_orders):
        baskets[order] = set("bcde")
    write_orders(shared, baskets)
    got = mined(shared, "min_count := 1, max_length := null")
    assert got == oracles.frequent_itemsets(baskets, 1)
    assert len(got) == 31


@pytest.mark.parametrize("n_orders", [7, 10, 30, 70, 100, 110, 200])
def test_a_set_with_exactly_the_least_support_is_frequent(
    shared: duckdb.DuckDBPyConnection, n_orders: int
) -> None:
    # item i is in i orders
    baskets = {
        order: {f"{item:04}" for item in range(order + 1, n_orders + 1)}
        for order in range(n_orders)
    }
    write_orders(shared, baskets)
    for count in range(1, n_orders + 1, max(1, n_orders // 10)):
        got = mined(shared, f"min_support := {count / n_orders!r}, max_length := 1")
        assert sorted(got.values()) == list(range(count, n_orders + 1))


def test_a_rule_with_exactly_the_least_confidence_is_kept(con: duckdb.DuckDBPyConnection) -> None:
    # a is in 20 orders; item i is in i of them
    baskets = {order: {"a"} | {f"{i:02}" for i in range(order + 1, 21)} for order in range(20)}
    write_orders(con, baskets)
    mined(con, "min_count := 1, max_length := 2")
    for twentieths in range(21):
        got = ruled(con, f"min_confidence := {twentieths * 0.05:.2f}")
        found = sum(antecedents == {"a"} for antecedents, _ in got)
        assert found == 20 - max(twentieths, 1) + 1


# --- mlxtend -------------------------------------------------------------------------------------


def one_hot(baskets: Mapping[int, set[str]]) -> pd.DataFrame:
    items = sorted(set().union(*baskets.values()))
    return pd.DataFrame({item: [item in held for held in baskets.values()] for item in items})


def test_itemsets_and_rules_are_those_of_mlxtend(con: duckdb.DuckDBPyConnection) -> None:
    baskets = medium_baskets()
    write_orders(con, baskets)
    got = mined(con, "min_support := 0.02, max_length := null")
    found = frequent_patterns.fpgrowth(one_hot(baskets), min_support=0.02, use_colnames=True)
    assert len(got) > 300
    assert max(map(len, got)) >= 4
    assert {items: count / len(baskets) for items, count in got.items()} == {
        items: pytest.approx(support)
        for items, support in zip(found["itemsets"], found["support"], strict=True)
    }

    rules = ruled(con, "min_confidence := 0.3, max_antecedents := null, max_consequents := null")
    theirs = frequent_patterns.association_rules(found, metric="confidence", min_threshold=0.3)
    theirs = theirs.rename(columns=lambda name: name.replace(" ", "_"))
    assert len(rules) > 100
    assert set(rules) == set(zip(theirs["antecedents"], theirs["consequents"], strict=True))
    compared = [name for name in MEASURES if name in theirs.columns]
    assert {"conviction", "zhangs_metric", "leverage"} < set(compared)
    for row in theirs.to_dict("records"):
        measures = rules[row["antecedents"], row["consequents"]]
        for name in compared:
            assert close(measures[name], row[name]), (row["antecedents"], name)


def test_measures_where_a_rule_always_holds_are_those_of_mlxtend_or_null(
    con: duckdb.DuckDBPyConnection,
) -> None:
    baskets = {0: set("abz"), 1: set("abz"), 2: set("az"), 3: set("z")}
    write_orders(con, baskets)
    counts = mined(con, "min_count := 1, max_length := null")
    got = ruled(con, "min_confidence := 0, max_antecedents := null, max_consequents := null")
    assert_same_rules(got, oracles.association_rules(counts, len(baskets)))
    # b -> a: confidence 1, P(a) = 3/4: conviction without bound; Zhang (1/2 - 3/8) / (1/4) = 1/2
    always = got[frozenset("b"), frozenset("a")]
    assert (always["conviction"], always["zhangs_metric"]) == (math.inf, pytest.approx(0.5))
    # b -> z: z is in every order, with b and without
    assert got[frozenset("b"), frozenset("z")]["zhangs_metric"] == pytest.approx(0)
    # z -> b: no order is without z, so there is nothing to compare with
    assert got[frozenset("z"), frozenset("b")]["zhangs_metric"] is None


# --- what is known -------------------------------------------------------------------------------


def test_the_toy_of_arules_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    names = ["abc", "ab", "abd", "be", "ac", "ce", "abde"]
    write_orders(con, {order: set(items) for order, items in enumerate(names)})
    # a quarter of 7 orders: at least 2. ce, ae, de, bc, cd and all other triples are in one or none
    expected = {"a": 5, "b": 5, "c": 3, "d": 2, "e": 3}
    expected |= {"ab": 4, "ac": 2, "ad": 2, "bd": 2, "be": 2, "abd": 2}
    assert mined(con, "min_support := 0.25, max_length := null") == {
        frozenset(items): count for items, count in expected.items()
    }


def test_the_toy_of_madlib_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    # beer in 7 of 7 orders, diapers in 5, chips in 3, diapers and chips in 2
    names = ["bdc", "bd", "bd", "bc", "b", "bdc", "bd"]
    write_orders(con, {order: set(items) for order, items in enumerate(names)})
    counts = mined(con, "min_support := 0.25, max_length := null")
    assert {"".join(sorted(items)): count for items, count in counts.items()} == {
        "b": 7, "d": 5, "c": 3, "bd": 5, "bc": 3, "cd": 2, "bcd": 2,
    }  # fmt: skip
    rules = ruled(con, "min_confidence := 0.5, max_antecedents := null, max_consequents := null")
    got = {
        f"{''.join(sorted(antecedents))} -> {''.join(sorted(consequents))}": (
            rule["support"],
            rule["confidence"],
            rule["lift"],
            rule["conviction"],
        )
        for (antecedents, consequents), rule in rules.items()
    }
    # support, confidence, confidence / P(consequents), (1 - P(consequents)) / (1 - confidence)
    assert got == {
        "d -> b": pytest.approx((5 / 7, 1, 1, math.inf)),
        "b -> d": pytest.approx((5 / 7, 5 / 7, 1, 1)),
        "c -> b": pytest.approx((3 / 7, 1, 1, math.inf)),
        "c -> d": pytest.approx((2 / 7, 2 / 3, 14 / 15, 6 / 7)),
        "cd -> b": pytest.approx((2 / 7, 1, 1, math.inf)),
        "bc -> d": pytest.approx((2 / 7, 2 / 3, 14 / 15, 6 / 7)),
        "c -> bd": pytest.approx((2 / 7, 2 / 3, 14 / 15, 6 / 7)),
    }


@pytest.mark.parametrize(("min_support", "n_itemsets"), [(0.02, 501), (0.01, 2786), (0.005, 16938)])
def test_the_complete_journey_has_as_many_itemsets_as_ever(
    complete_journey_baskets: duckdb.DuckDBPyConnection, min_support: float, n_itemsets: int
) -> None:
    query = (
        "select count(*), count(distinct items) from custseg.frequent_itemsets("
        "'complete_journey', item := 'category', "
        f"min_support := {min_support}, max_length := null)"
    )
    rows = complete_journey_baskets.sql(query).fetchall()
    assert rows == [(n_itemsets, n_itemsets)]


# --- the rest ------------------------------------------------------------------------------------


def test_names_are_the_first_in_the_alphabet_or_null(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "create table lines as "
        "select * from (values (1, 20, 'tea'), (1, 10, null), (2, 20, 'chai'), (2, 20, null)) "
        "as lines (order_id, product_id, product_name)"
    )
    con.execute(
        "create table itemsets as "
        "from custseg.frequent_itemsets('lines', min_count := 1, max_length := null)"
    )
    query = "select items, item_names from itemsets order by itemset_id"
    assert con.sql(query).fetchall() == [
        ([20], ["chai"]),
        ([10], [None]),
        ([10, 20], [None, "chai"]),
    ]
    query = (
        "select antecedent_names, consequent_names "
        "from custseg.association_rules('itemsets', min_confidence := 0.9)"
    )
    assert con.sql(query).fetchall() == [([None], ["chai"])]


def test_rules_need_no_names(con: duckdb.DuckDBPyConnection) -> None:
    write_orders(con, {0: {"a", "b"}, 1: {"a"}})
    mined(con, "min_count := 1, max_length := null")
    con.execute("create table nameless as select * exclude (item_names) from itemsets")
    query = (
        "select antecedents, consequents, confidence "
        "from custseg.association_rules('nameless', min_confidence := 0.6)"
    )
    assert con.sql(query).fetchall() == [(["b"], ["a"], 1.0)]


def test_order_of_lines_and_threads_change_no_row_of_itemsets_and_rules(
    con: duckdb.DuckDBPyConnection,
) -> None:
    write_orders(con, medium_baskets())
    con.execute("create table straight as from lines")
    results = []
    for threads, source in ((1, "straight"), (2, "straight"), (4, "straight order by hash(rowid)")):
        con.execute(f"set threads = {threads}")
        con.execute(f"create or replace table lines as from {source}")
        mined(con, "min_support := 0.02, max_length := null")
        results.append(
            [
                con.sql("from itemsets order by itemset_id").fetchall(),
                con.sql(
                    "from custseg.association_rules('itemsets', min_confidence := 0.1) "
                    "order by rule_id"
                ).fetchall(),
            ]
        )
    assert results[0] == results[1] == results[2]


def test_items_may_be_in_a_column_of_any_name(con: duckdb.DuckDBPyConnection) -> None:
    item = uuid.UUID(int=1)
    con.execute(
        f"""create table lines as select 1 as order_id, uuid '{item}' as "it's ""the"" item" """
    )
    query = (
        "select items, support from custseg.frequent_itemsets('lines', min_count := 1, "
        """item := 'it''s "the" item')"""
    )
    assert con.sql(query).fetchall() == [([item], 1.0)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("min_support := 0", r"min_support must be in \(0, 1\], got 0"),
        ("min_support := 2", r"min_support must be in \(0, 1\], got 2"),
        ("min_support := -0.5", r"min_support must be in \(0, 1\], got -0.5"),
        ("min_support := 0.2, min_count := 5", "give min_support or min_count, not both"),
        ("min_count := 0", "min_count must be at least 1, got 0"),
        ("max_length := 0", "max_length must be at least 1 or NULL, got 0"),
    ],
)
def test_wrong_options_of_itemsets_are_refused_in_words(
    shared: duckdb.DuckDBPyConnection, options: str, message: str
) -> None:
    write_orders(shared, {0: {"a", "b"}})
    with pytest.raises(duckdb.InvalidInputException, match=message):
        shared.sql(f"from custseg.frequent_itemsets('lines', item := 'item', {options})").fetchall()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("min_confidence := 2", r"min_confidence must be in \[0, 1\], got 2"),
        ("min_confidence := null", r"min_confidence must be in \[0, 1\], got NULL"),
        ("min_confidence := -0.1", r"min_confidence must be in \[0, 1\], got -0.1"),
        ("max_antecedents := 0", "max_antecedents must be at least 1 or NULL, got 0"),
        ("max_consequents := 0", "max_consequents must be at least 1 or NULL, got 0"),
    ],
)
def test_wrong_options_of_rules_are_refused_in_words(
    shared: duckdb.DuckDBPyConnection, options: str, message: str
) -> None:
    write_orders(shared, {0: {"a", "b"}})
    mined(shared, "min_count := 1, max_length := null")
    with pytest.raises(duckdb.InvalidInputException, match=message):
        shared.sql(f"from custseg.association_rules('itemsets', {options})").fetchall()
