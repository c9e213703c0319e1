"""Rules of segments, sequences and levels as defined, and in shops whose truth is known."""

# hypothesis keeps the annotations of fixtures for ever, and DuckDB complains at exit if its classes
# are among them; as texts they are not
from __future__ import annotations

import itertools
import math
import os
import random
import statistics
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import oracles
import oracles_offers
import oracles_rules
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles_offers import SegmentRule, Step
from scipy import stats  # type: ignore[import-untyped]

import custseg_duck

many = settings(
    max_examples=int(os.environ.get("CUSTSEG_EXAMPLES", "25")),
    deadline=None,
    derandomize=True,
)
TYPES = {
    "customer_id": pa.int64(),
    "order_id": pa.int64(),
    "product_id": pa.int32(),
    "category": pa.string(),
    "department": pa.string(),
    "product_name": pa.string(),
    "ordered_at": pa.timestamp("us"),
    "quantity": pa.int64(),
}
FIRST_DAY = datetime(2024, 1, 1)
# of which a small one matters as much as a large one
P_VALUES = {"p_value", "p_value_bh", "contrast_p_value", "contrast_p_value_bh"}


@pytest.fixture(scope="module")
def shared() -> Iterator[duckdb.DuckDBPyConnection]:
    """One database for the tests that are many; each replaces the tables that it reads."""
    with custseg_duck.connect() as connection:
        yield connection


# --- what the macros give ------------------------------------------------------------------------


def write(con: duckdb.DuckDBPyConnection, lines: Sequence[oracles.Line], columns: str) -> None:
    """Write these columns of the lines as the table ``lines``."""
    values = {
        name: pa.array([line.get(name) for line in lines], TYPES[name]) for name in columns.split()
    }
    write_columns(con, "lines", values)


def write_columns(con: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, Any]) -> None:
    """Write a table by its columns."""
    con.register("incoming", pa.table(dict(columns)))
    con.execute(f"create or replace table {name} as from incoming")
    con.unregister("incoming")


def write_segments(con: duckdb.DuckDBPyConnection, segments: Mapping[int, Any]) -> None:
    """Write the segment of each customer as the table ``segments``."""
    texts = any(isinstance(segment, str) for segment in segments.values())
    columns = {
        "customer_id": pa.array(segments.keys(), pa.int64()),
        "segment": pa.array(segments.values(), pa.string() if texts else pa.int32()),
    }
    write_columns(con, "segments", columns)


def rows_of(con: duckdb.DuckDBPyConnection, query: str) -> list[oracles.Row]:
    """The rows, by the names of their columns."""
    found = con.execute(query)
    columns = [name for name, *_ in found.description or ()]
    return [dict(zip(columns, values, strict=True)) for values in found.fetchall()]


def written(options: Mapping[str, Any]) -> str:
    """Options as one would write them in SQL; a confidence is a text, to be exact."""
    return ", ".join(
        f"{name} := {value if name == 'min_confidence' else repr(value)}"
        for name, value in options.items()
    )


def segment_rules(
    con: duckdb.DuckDBPyConnection, names: Mapping[Any, str] | None = None, **options: Any
) -> dict[SegmentRule, oracles.Row]:
    """The rules by segment and sides; ids and names are checked here."""
    rows = rows_of(
        con,
        f"from custseg.segment_rules('lines', 'segments', {written(options)}) "
        "order by segment, rule_id",
    )
    for _, theirs in itertools.groupby(rows, lambda row: row["segment"]):
        ids = [row.pop("rule_id") for row in theirs]
        assert ids == list(range(1, len(ids) + 1))
    rules = {}
    for row in rows:
        antecedents, consequents = row.pop("antecedents"), row.pop("consequents")
        assert antecedents == sorted(antecedents)
        for side, items in [("antecedent", antecedents), ("consequent", consequents)]:
            assert row.pop(f"{side}_names") == [(names or {}).get(item) for item in items]
        (consequent,) = consequents
        rules[row.pop("segment"), frozenset(antecedents), consequent] = row
    assert len(rules) == len(rows)
    return rules


def sequences(
    con: duckdb.DuckDBPyConnection, names: Mapping[Any, str] | None = None, **options: Any
) -> dict[Step, oracles.Row]:
    """The sequences by antecedent and consequent; ids and names are checked here."""
    rows = rows_of(con, f"from custseg.sequences('lines', {written(options)}) order by rule_id")
    assert [row.pop("rule_id") for row in rows] == list(range(1, len(rows) + 1))
    found = {}
    for row in rows:
        step = row.pop("antecedent"), row.pop("consequent")
        step_names = row.pop("antecedent_name"), row.pop("consequent_name")
        assert step_names == tuple((names or {}).get(item) for item in step)
        found[step] = row
    assert len(found) == len(rows)
    return found


def assert_same(got: Mapping[Any, oracles.Row], expected: Mapping[Any, oracles.Row]) -> None:
    """Equal keys, and all columns of every row; floats within a relative 1e-9."""
    assert set(got) == set(expected)
    for key, row in expected.items():
        assert set(got[key]) == set(row)
        for name, value in row.items():
            tiny = 0 if name in P_VALUES else 1e-10
            assert same(got[key][name], value, tiny), (key, name, got[key][name], value)


def same(found: Any, value: Any, tiny: float) -> bool:
    if found is None or value is None:
        return found is value
    return math.isclose(found, value, rel_tol=1e-9, abs_tol=tiny)


# --- small shops ---------------------------------------------------------------------------------

# the others have no name
NAMES = {1: "Milk", 2: "Rye 'n' oats", 4: "Tea"}
ITEM_COLUMNS = {"product_id": NAMES, "category": {}}
ALL_COLUMNS = "customer_id order_id product_id category product_name ordered_at quantity"
QUANTITIES = [1, 1, 1, 1, 1, 1, 2, None, -1, 0]


def product_columns(product: int | None) -> oracles.Row:
    """A product, its category (one has none) and its name."""
    category = None if product is None or product == 5 else f"category {product % 3}"
    return {"product_id": product, "category": category, "product_name": NAMES.get(product or 0)}


@st.composite
def shops(draw: st.DrawFn) -> list[oracles.Line]:
    """Up to 60 orders of 8 products; customers may share ids of orders, and lines are in no order.

    Some products are returned, some ids unknown, and so are some dates; dates are a few days or
    quarters of a day apart.
    """
    n_orders = draw(st.sampled_from([60, 40, 25, 5]))
    # the rest at once: hypothesis draws small shops, in which nothing is frequent
    rng = random.Random(draw(st.integers(0, 2**32)))
    n_customers, n_products = rng.randint(2, 5), rng.randint(3, 8)
    n_days, chance, is_clean = rng.choice([10, 30, 60]), rng.choice([0.3, 0.6]), rng.random() < 0.5
    steepness = rng.choice([0, 0, 1])

    def known(value: Any) -> Any:
        return value if is_clean or rng.random() < 0.95 else None

    lines: list[oracles.Line] = []
    for order in range(n_orders):
        # an id may come again, of the same customer or another
        ids = {
            "customer_id": known(rng.randint(1, n_customers)),
            "order_id": known(rng.choice([order, order, order, order // 2])),
        }
        hours = 24 * rng.randrange(n_days) + 6 * rng.choice([0, 0, 0, 1, 2])
        chosen = [
            product
            for product in range(1, n_products + 1)
            if rng.random() < chance / product**steepness
        ]
        lines.extend(
            ids
            | product_columns(known(product))
            | {
                "ordered_at": known(FIRST_DAY + timedelta(hours=hours + rng.choice([0, 0, 0, 24]))),
                "quantity": 1 if is_clean else rng.choice(QUANTITIES),
            }
            for product in chosen or [1]
        )
    rng.shuffle(lines)
    return lines


def thresholds() -> st.SearchStrategy[oracles.Row]:
    """How much is frequent, in either way."""
    shares = [{"min_support": share} for share in (0.05, 0.1, 0.2, 0.3)]
    counts = [{"min_count": count} for count in (1, 2, 3)]
    return st.sampled_from([*counts, {}, *shares])


def confidences() -> st.SearchStrategy[oracles.Row]:
    """A least confidence, or none."""
    values = ["0", "0.05", "0.2", "0.25", "0.4", "0.5", "0.75"]
    return st.sampled_from([{}, *({"min_confidence": value} for value in values)])


# --- rules of segments ---------------------------------------------------------------------------

SEGMENTS: list[list[Any]] = [[0, 1, 1, 7, None], ["new", "new", "at risk", "don't lose", None]]


@st.composite
def segmentations(draw: st.DrawFn) -> dict[int, Any]:
    """The segments of most of the customers 1 to 5, and of two who have bought nothing."""
    names = draw(st.sampled_from(SEGMENTS))
    rng = random.Random(draw(st.integers(0, 2**32)))
    return {customer: rng.choice(names) for customer in range(1, 8) if rng.random() < 0.9}


@many
@given(
    lines=shops(),
    segments=segmentations(),
    threshold=thresholds(),
    confidence=confidences(),
    max_length=st.sampled_from([2, 3]),
    item=st.sampled_from(sorted(ITEM_COLUMNS)),
)
def test_every_column_of_every_rule_of_a_segment_is_as_defined(
    shared: duckdb.DuckDBPyConnection,
    lines: list[oracles.Line],
    segments: dict[int, Any],
    threshold: oracles.Row,
    confidence: oracles.Row,
    max_length: int,
    item: str,
) -> None:
    # one customer of a segment has surely bought something
    segment = next((known for known in segments.values() if known is not None), 7)
    segments = segments | {9: segment}
    lines = [*lines, {"customer_id": 9, "order_id": 9, "quantity": 1} | product_columns(1)]
    options = threshold | confidence | {"max_length": max_length, "item": item}
    write(shared, lines, ALL_COLUMNS)
    write_segments(shared, segments)
    got = segment_rules(shared, ITEM_COLUMNS[item], **options)
    assert_same(got, oracles_offers.segment_rules(lines, list(segments.items()), **options))


def lines_of(baskets: Mapping[int, Sequence[str]]) -> list[oracles.Line]:
    """The baskets of each customer, as ids that are letters; each an order of its own."""
    lines: list[oracles.Line] = []
    for customer, theirs in baskets.items():
        for basket in theirs:
            order = len(lines) + 100
            lines += [
                {"customer_id": customer, "order_id": order, "category": letter}
                for letter in basket
            ]
    return lines


def test_a_rule_in_a_segment_and_in_the_others_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    # of the first segment's 6 orders 3 hold a, all with b, and b is in one more;
    # of the others' 4 orders 3 hold a, one of them with b; customer 9 has no segment
    baskets = {1: ["ab", "ab"], 2: ["ab", "b", "c", "c"], 3: ["ab", "a"], 4: ["a", "c"], 9: ["bc"]}
    write(con, lines_of(baskets), "customer_id order_id category")
    write_segments(con, {1: "best", 2: "best", 3: "new", 4: "lost"})
    rules = segment_rules(con, min_count=1, item="category", min_confidence="0")
    assert {segment for segment, *_ in rules} == {"best", "new"}
    assert rules["best", frozenset("a"), "b"] == pytest.approx(
        {
            "n_orders": 6,
            "antecedent_support": 3 / 6,
            "consequent_support": 4 / 6,
            "support": 3 / 6,
            "support_count": 3,
            # customer 1 has two of them, customer 2 one
            "n_customers": 2,
            "effective_customers": 3**2 / (2**2 + 1**2),
            "confidence": 1,
            "lift": 6 / 4,
            # C(4, 3) of the C(6, 3) ways to have a in 3 orders; 3 items, then 2
            "p_value": 4 / 20,
            "n_tests": 6,
            # and of the reverse, b -> a, as much
            "p_value_bh": 4 / 20 * 6 / 2,
            "rest_orders": 4,
            "rest_support_count": 1,
            "rest_support": 1 / 4,
            "rest_confidence": 1 / 3,
            "rest_lift": 4 / 3,
            "confidence_difference": 1 - 1 / 3,
            "lift_ratio": (6 / 4) / (4 / 3),
            # of the 6 orders with a 4 hold b: 3 of this segment's 3 in C(4, 3) of C(6, 3) ways
            "contrast_p_value": 4 / 20,
            "contrast_p_value_bh": 1,
        }
    )


def test_what_the_others_never_buy_is_not_compared(con: duckdb.DuckDBPyConnection) -> None:
    write(con, lines_of({1: ["ab", "abc", "c"], 2: ["b"]}), "customer_id order_id category")
    write_segments(con, {1: 1, 2: 2})
    rules = segment_rules(con, min_count=1, item="category", min_confidence="0")

    def compared(antecedent: str, consequent: str) -> list[Any]:
        row = rules[1, frozenset(antecedent), consequent]
        names = ("rest_support", "rest_confidence", "rest_lift", "confidence_difference")
        more = ("lift_ratio", "contrast_p_value", "contrast_p_value_bh")
        return [row[name] for name in (*names, *more)]

    # no other order holds a: nothing to compare
    assert compared("a", "b") == [0, None, None, None, None, None, None]
    # one holds b: of the three with b, the two with a are this segment's in one of C(3, 2) ways
    assert compared("b", "a") == [0, 0, None, 1, None, pytest.approx(1 / 3), 1]


def test_a_segment_of_all_customers_has_no_others_and_the_rules_of_the_shop(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    shop.execute("create table lines as from order_lines")
    shop.execute(
        "create table segments as select distinct customer_id, 'all' as segment from lines"
    )
    names = {product: f"product {product}" for product in range(12)}
    rules = segment_rules(shop, names, min_count=9, max_length=3, min_confidence="0.2")
    shop.execute(
        "create table itemsets as "
        "from custseg.frequent_itemsets('lines', min_count := 9, max_length := 3)"
    )
    expected = rows_of(
        shop, "from custseg.association_rules('itemsets', min_confidence := 0.2) order by rule_id"
    )
    assert len(rules) == len(expected) > 50
    for row in expected:
        ours = rules["all", frozenset(row["antecedents"]), row["consequents"][0]]
        for name in row.keys() & ours.keys():
            assert same(ours[name], row[name], 0), (row, name)
        assert {"p_value_bh", "n_tests", "lift", "consequent_support"} < row.keys() & ours.keys()
        assert (ours["rest_orders"], ours["rest_support_count"]) == (0, 0)
        others = {name for name in ours if name.startswith(("rest_", "contrast_"))}
        unknown = others - {"rest_orders", "rest_support_count"}
        assert {ours[name] for name in unknown | {"confidence_difference", "lift_ratio"}} == {None}


def test_an_order_that_two_segments_share_counts_in_each(con: duckdb.DuckDBPyConnection) -> None:
    # the first customer bought a and b in it, the second a
    lines = [
        {"customer_id": customer, "order_id": 1, "category": item}
        for customer, item in [(1, "a"), (1, "b"), (2, "a")]
    ]
    write(con, [*lines, *lines], "customer_id order_id category")
    write_segments(con, {1: 1, 2: 2})
    rules = segment_rules(con, min_count=1, item="category")
    assert {(segment, consequent) for segment, _, consequent in rules} == {(1, "a"), (1, "b")}
    row = rules[1, frozenset("a"), "b"]
    assert (row["n_orders"], row["rest_orders"], row["rest_support_count"]) == (1, 1, 0)
    assert row["rest_confidence"] == 0


@pytest.mark.parametrize(
    ("segments", "options", "message"),
    [
        ([(1, 1), (2, 1), (1, 2)], "", "segments must hold each customer once"),
        ([(1, 1), (1, 1)], "", "segments must hold each customer once"),
        ([(77, 1), (78, 2)], "", "segments must hold customers of the lines"),
        ([(1, 1)], ", max_length := 4", "max_length must be 2 or 3"),
        ([(1, 1)], ", max_length := 1", "max_length must be 2 or 3"),
    ],
)
def test_segments_and_lengths_that_cannot_be_are_refused_in_words(
    shared: duckdb.DuckDBPyConnection,
    segments: list[tuple[int, int]],
    options: str,
    message: str,
) -> None:
    write(shared, lines_of({1: ["ab", "a"], 2: ["ab"]}), "customer_id order_id category")
    customers, numbers = zip(*segments, strict=True)
    write_columns(shared, "segments", {"customer_id": customers, "segment": numbers})
    with pytest.raises(duckdb.InvalidInputException, match=message):
        shared.sql(
            f"from custseg.segment_rules('lines', 'segments', item := 'category'{options})"
        ).fetchall()


# --- sequences -----------------------------------------------------------------------------------


@many
@given(
    lines=shops(),
    threshold=thresholds(),
    confidence=confidences(),
    within_days=st.sampled_from([1, 2, 5, 12]),
    item=st.sampled_from(sorted(ITEM_COLUMNS)),
)
def test_every_column_of_every_sequence_is_as_defined(
    shared: duckdb.DuckDBPyConnection,
    lines: list[oracles.Line],
    threshold: oracles.Row,
    confidence: oracles.Row,
    within_days: int,
    item: str,
) -> None:
    options = threshold | confidence | {"within_days": within_days, "item": item}
    write(shared, lines, ALL_COLUMNS)
    got = sequences(shared, ITEM_COLUMNS[item], **options)
    assert_same(got, oracles_offers.sequences(lines, **options))


def dated(visits: Sequence[tuple[int, float, str]]) -> list[oracles.Line]:
    """Lines of the customer, the day and the basket of each order."""
    return [
        {
            "customer_id": customer,
            "order_id": order,
            "ordered_at": FIRST_DAY + timedelta(days=day),
            "category": letter,
        }
        for order, (customer, day, basket) in enumerate(visits)
        for letter in basket
    ]


BY_HAND = [
    # exactly 30 days from the second a to the second b
    *[(1, 0, "a"), (1, 10, "b"), (1, 20, "a"), (1, 50, "b")],
    # half a day too late
    *[(2, 0, "a"), (2, 30.5, "b")],
    # the last order of all: those after day 30 were not followed for 30 days
    *[(3, 5, "b"), (3, 60, "c")],
]


def test_sequences_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    write(con, dated(BY_HAND), "customer_id order_id ordered_at category")
    found = sequences(con, min_count=1, item="category")
    assert set(found) == {("a", "b"), ("b", "a")}
    reverse_p_value = stats.norm.sf((1 - 2 / 3) / math.sqrt(4 / 18))
    assert found["a", "b"] == pytest.approx(
        {
            # five orders until day 30, three with a; b follows two of them and no other
            "n_orders": 5,
            "antecedent_count": 3,
            "consequent_count": 2,
            "support_count": 2,
            "n_customers": 1,
            "support": 2 / 5,
            "confidence": 2 / 3,
            "lift": (2 / 3) / (2 / 5),
            # 10 and 30
            "median_days": 20,
            # the first customer's three: two with a, two followed by b, both of them the same;
            # expected are 4/3, with a variance of 2 1 2 1 / (9 2). Of the second's nothing follows
            "z_score": (2 - 4 / 3) / math.sqrt(4 / 18),
            "p_value": stats.norm.sf(math.sqrt(2)),
            # a, b and c, each way
            "n_tests": 6,
            "p_value_bh": min(6 * stats.norm.sf(math.sqrt(2)), 3 * reverse_p_value),
        },
        rel=1e-9,
    )
    assert found["b", "a"]["p_value_bh"] == pytest.approx(3 * reverse_p_value, rel=1e-9)


def test_dates_without_a_time_are_as_good(con: duckdb.DuckDBPyConnection) -> None:
    visits = [visit for visit in BY_HAND if visit[1] != 30.5]
    write(con, dated(visits), "customer_id order_id ordered_at category")
    expected = sequences(con, min_count=1, item="category")
    con.execute("alter table lines alter ordered_at type date")
    assert sequences(con, min_count=1, item="category") == expected
    assert expected["a", "b"]["median_days"] == 20


def test_an_item_of_too_few_orders_does_not_follow(con: duckdb.DuckDBPyConnection) -> None:
    # b is in two orders only, which follow four
    visits = [(1, 0, "a"), (1, 1, "a"), (1, 2, "b"), (2, 0, "a"), (2, 1, "a"), (2, 2, "b")]
    write(con, dated([*visits, (3, 60, "a")]), "customer_id order_id ordered_at category")
    assert sequences(con, min_count=3, item="category") == {}
    assert sequences(con, min_count=2, item="category")["a", "b"]["support_count"] == 4


def test_the_days_are_those_until_the_first_that_follows(con: duckdb.DuckDBPyConnection) -> None:
    # b follows after 1.25 and 3 days, 2.5 days, and 4; at the same time it does not follow
    visits = [(1, 0, "a"), (1, 1.25, "b"), (1, 3, "b"), (2, 0, "a"), (2, 2.5, "b"), (3, 0, "a")]
    visits += [(3, 0, "b"), (3, 4, "b"), (4, 0, "ab"), (5, 99, "c")]
    write(con, dated(visits), "customer_id order_id ordered_at category")
    row = sequences(con, min_count=3, item="category", within_days=7)["a", "b"]
    assert (row["antecedent_count"], row["support_count"], row["n_customers"]) == (4, 3, 3)
    assert row["median_days"] == 2.5


def test_where_nothing_could_be_followed_nothing_is_found(con: duckdb.DuckDBPyConnection) -> None:
    write(con, dated([(1, 0, "a"), (1, 3, "b")]), "customer_id order_id ordered_at category")
    assert sequences(con, min_count=1, item="category", within_days=4) == {}
    con.execute("update lines set ordered_at = null")
    with pytest.raises(duckdb.InvalidInputException, match="lines must have ordered_at"):
        sequences(con, min_count=1, item="category")
    con.execute("delete from lines")
    assert sequences(con, item="category") == {}


def test_the_z_score_is_by_all_shufflings_of_what_each_customer_bought(
    con: duckdb.DuckDBPyConnection,
) -> None:
    rng = random.Random(3)
    visits = []
    for customer in range(6):
        days = sorted(rng.sample(range(60), k=rng.randint(1, 6)))
        for day in days:
            chances = {"a": 0.2 + 0.1 * customer, "b": 0.5, "c": 0.3}
            basket = "".join(letter for letter, chance in chances.items() if rng.random() < chance)
            visits.append((customer, day, basket or "c"))
    visits.append((9, 100, "c"))
    lines = dated(visits)
    write(con, lines, "customer_id order_id ordered_at category")
    found = sequences(con, min_count=1, item="category", within_days=14)
    assert len(found) == 6
    window = timedelta(days=14)
    anchors = oracles_offers.anchors_of(oracles_offers.occasions(lines, "category"), window)
    for (start, end), row in found.items():
        observed = mean = variance = 0.0
        for customer in range(6):
            theirs = [anchor for anchor in anchors if anchor.occasion.customer_id == customer]
            holds = [start in anchor.occasion.items for anchor in theirs]
            is_followed = [end in anchor.followed_after for anchor in theirs]
            counts = [
                sum(map(all, zip(shuffled, is_followed, strict=True)))
                for shuffled in itertools.permutations(holds)
            ]
            observed += counts[0]  # as they are
            mean += statistics.fmean(counts)
            variance += statistics.pvariance(counts)
        assert row["support_count"] == observed
        assert row["z_score"] == pytest.approx((observed - mean) / math.sqrt(variance), rel=1e-9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("within_days := 0", "within_days must be"),
        ("within_days := -7", "within_days must be"),
        ("min_support := 0", r"min_support must be in \(0, 1\], got 0"),
        ("min_support := 1.5", r"min_support must be in \(0, 1\], got 1.5"),
    ],
)
def test_sequences_that_cannot_be_are_refused_in_words(
    shared: duckdb.DuckDBPyConnection, options: str, message: str
) -> None:
    write(shared, dated(BY_HAND), "customer_id order_id ordered_at category")
    with pytest.raises(duckdb.InvalidInputException, match=message):
        shared.sql(f"from custseg.sequences('lines', item := 'category', {options})").fetchall()


# --- levels --------------------------------------------------------------------------------------

LEVELS = ("product_id", "category", "department")


@st.composite
def leveled_lines(draw: st.DrawFn) -> list[oracles.Line]:
    """Up to 25 orders of 5 products in 3 categories in 2 departments, most of them always."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    lines: list[oracles.Line] = []
    for order in range(draw(st.sampled_from([25, 10, 3]))):
        for _ in range(rng.randint(1, 5)):
            product = rng.choice([1, 2, 3, 4, 5, None])
            category = rng.choice([product or 1] * 8 + [2, None])
            department = rng.choice([category or 1] * 8 + [2, None])
            lines.append(
                {
                    "order_id": rng.choice([order] * 9 + [None]),
                    "product_id": product,
                    "product_name": NAMES.get(product or 0),
                    # the same texts on both levels
                    "category": category and "abc"[category % 3],
                    "department": department and "ab"[department % 2],
                    "quantity": rng.choice(QUANTITIES),
                }
            )
    return lines


def level_item(item: Mapping[str, str]) -> oracles_offers.LevelItem:
    """As the oracles have it."""
    assert list(item) == ["level", "id"]
    return item["level"], item["id"]


@many
@given(
    lines=leveled_lines(),
    levels=st.permutations(LEVELS) | st.just(LEVELS[::2]) | st.just(LEVELS),
    min_count=st.integers(1, 3),
)
def test_sets_of_all_levels_are_as_defined_and_hold_no_item_with_its_ancestor(
    shared: duckdb.DuckDBPyConnection,
    lines: list[oracles.Line],
    levels: Sequence[str],
    min_count: int,
) -> None:
    write(shared, lines, f"order_id product_name quantity {' '.join(LEVELS)}")
    shared.execute(
        "create or replace table leveled as "
        f"from custseg.item_levels('lines', levels := {list(levels)})"
    )
    orders, ancestors = oracles_offers.item_levels(lines, levels)
    held = []
    for row in rows_of(shared, "from leveled"):
        item = level, text = level_item(row["item"])
        held.append((row["order_id"], item))
        assert row["item_name"] == (NAMES.get(int(text)) if level == "product_id" else text)
        assert sorted(map(level_item, row["ancestors"])) == sorted(ancestors[item])
    assert sorted(held) == sorted((order, item) for order in orders for item in orders[order])

    shared.execute(
        "create or replace table itemsets as from custseg.frequent_itemsets("
        f"'leveled', item := 'item', min_count := {min_count}, max_length := null)"
    )
    kept = rows_of(
        shared, "from custseg.unrelated_itemsets('itemsets', 'leveled') order by itemset_id"
    )
    assert [row["itemset_id"] for row in kept] == list(range(1, len(kept) + 1))
    counts = {frozenset(map(level_item, row["items"])): row["support_count"] for row in kept}
    frequent = oracles.frequent_itemsets(orders, min_count)
    assert counts == oracles_offers.unrelated_itemsets(frequent, ancestors)
    for row in kept:
        items = frozenset(map(level_item, row["items"]))
        larger = [counts[other] for other in counts if items < other]
        assert row["is_maximal"] == (not larger)
        assert row["is_closed"] == (row["support_count"] not in larger)


def test_rules_of_all_levels_are_those_of_the_unrelated_sets(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    shop.execute("create table lines as select *, product_id % 3 as category from order_lines")
    options = "min_count := 9, max_length := 3"
    rules = rows_of(shop, f"from custseg.level_rules('lines', {options}) order by rule_id")
    shop.execute("create table leveled as from custseg.item_levels('lines')")
    shop.execute(
        "create table itemsets as "
        f"from custseg.frequent_itemsets('leveled', item := 'item', {options})"
    )
    shop.execute("create table kept as from custseg.unrelated_itemsets('itemsets', 'leveled')")
    assert rules == rows_of(shop, "from custseg.association_rules('kept') order by rule_id")
    sizes = {len({item["level"] for item in row["antecedents"]}) for row in rules}
    assert sizes == {1, 2}
    related = [
        row
        for row in rules
        for product, category in itertools.permutations(row["antecedents"] + row["consequents"], 2)
        if (product["level"], category["level"]) == ("product_id", "category")
        and int(product["id"]) % 3 == int(category["id"])
    ]
    assert related == []


def test_a_level_that_is_no_column_is_refused_in_words(shop: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(
        duckdb.InvalidInputException, match=r"levels must be columns of the lines, got .*aisle"
    ):
        shop.sql(
            "from custseg.item_levels('order_lines', levels := ['product_id', 'aisle'])"
        ).fetchall()


# --- ids of any kind -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["varchar", "uuid"])
def test_ids_may_be_of_any_kind(shop: duckdb.DuckDBPyConnection, kind: str) -> None:
    write_segments(shop, {customer: customer % 3 for customer in range(60)})
    shop.execute("create table lines as select * exclude (product_name) from order_lines")
    rules = segment_rules(shop, min_count=5, max_length=3)
    steps = sequences(shop, min_count=5, within_days=10)
    for table, names in [("segments", ["customer"]), ("lines", ["customer", "order", "product"])]:
        for name in names:
            shop.execute(
                f"alter table {table} alter {name}_id type {kind} "
                f"using printf('00000000-0000-0000-0000-%012d', {name}_id)::{kind}"
            )

    def number(item: Any) -> int:
        return int(str(item).split("-")[-1])

    assert_same(
        {
            (segment, frozenset(map(number, antecedents)), number(consequent)): row
            for (segment, antecedents, consequent), row in segment_rules(
                shop, min_count=5, max_length=3
            ).items()
        },
        rules,
    )
    found = sequences(shop, min_count=5, within_days=10)
    assert_same({(number(start), number(end)): row for (start, end), row in found.items()}, steps)
    assert len(rules) > 50
    assert len(steps) > 50


# --- planted truth -------------------------------------------------------------------------------

Held = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]


def write_held(
    con: duckdb.DuckDBPyConnection, customers: Numbers, held: Held, days: Any = None
) -> None:
    """Write orders by their customers, what they hold and perhaps their days, as ``lines``."""
    orders, items = np.nonzero(held)
    columns = {"customer_id": customers[orders], "order_id": orders, "product_id": items}
    if days is not None:
        seconds = np.rint(days * 86_400).astype("timedelta64[s]")[orders]
        columns["ordered_at"] = np.datetime64(FIRST_DAY, "s") + seconds
    write_columns(con, "lines", columns)


def segmented_shop(seed: int) -> tuple[Numbers, Numbers, Held]:
    """Three segments of 300 customers and 1,500 orders; each of 25 items is in a tenth of them.

    Where an order holds 0 in the first segment, or 2 in any, half hold the next item too, and as
    many fewer of those that do not.
    """
    rng = np.random.default_rng(seed)
    customers = np.repeat(np.arange(900), 5)
    segments = customers // 300 + 1
    held: Held = rng.random((len(customers), 25)) < 0.1
    for start, among in [(0, segments == 1), (2, segments > 0)]:
        chance = np.where(held[:, start], 0.5, 0.05 / 0.9)
        held[among, start + 1] = (rng.random(len(held)) < chance)[among]
    return customers, segments, held


def test_what_goes_together_in_one_segment_only_is_found_there_and_only_there(
    shared: duckdb.DuckDBPyConnection,
) -> None:
    n_false = 0
    for seed in range(4):
        customers, segments, held = segmented_shop(seed)
        write_held(shared, customers, held)
        write_segments(shared, dict(zip(customers.tolist(), segments.tolist(), strict=True)))
        rules = segment_rules(shared, min_count=5, min_confidence="0")
        contrasts = {
            (segment, *antecedents, consequent)
            for (segment, antecedents, consequent), row in rules.items()
            if row["contrast_p_value_bh"] <= 0.05
        }
        together = {
            (segment, *antecedents, consequent)
            for (segment, antecedents, consequent), row in rules.items()
            if row["p_value_bh"] <= 0.05
        }
        in_first = {(1, 0, 1), (1, 1, 0)}
        in_all = {(s, *pair) for s in (1, 2, 3) for pair in ((2, 3), (3, 2))}
        assert contrasts >= in_first
        assert together >= in_first | in_all
        assert contrasts & in_all == set()
        n_false += len(contrasts - in_first) + len(together - in_first - in_all)
    # of 40 true ones
    assert n_false <= 2


FOLLOWED = {(1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12)}
HABITS = (28, 29)


def visited_shop(seed: int, planted: Collection[Step]) -> tuple[Numbers, Any, Held]:
    """300 customers, 30 orders each, about 8 days apart; what they like is different for each.

    Of orders with the first of a pair 30% lead to the second in the next within 20 days. A fifth
    of the customers buy 29 nearly always and 28 often, the others hardly ever, and neither because
    of the other.
    """
    rng = np.random.default_rng(seed)
    customers = np.repeat(np.arange(300), 30)
    days = np.cumsum(1 + rng.exponential(7, (300, 30)), axis=1).ravel()
    popularity = 0.2 / (1 + 0.3 * np.arange(30))
    chances = np.minimum(0.9, popularity * rng.gamma(1, 1, (300, 30)))
    has_habit = rng.random(300) < 0.2
    chances[:, 28] = np.where(has_habit, 0.6, 0.02)
    chances[:, 29] = np.where(has_habit, rng.choice([0.5, 1], 300), 0.02)
    held: Held = rng.random((len(customers), 30)) < chances[customers]
    is_soon = (np.diff(customers) == 0) & (np.diff(days) <= 20)
    for start, end in planted:
        held[1:, end] |= held[:-1, start] & is_soon & (rng.random(len(held) - 1) < 0.3)
    return customers, days, held


def is_false(found: Mapping[Step, oracles.Row], true: Collection[Step]) -> dict[Step, bool]:
    """Of each sequence whether it is significant and should not be."""
    return {
        step: row["p_value_bh"] is not None and row["p_value_bh"] <= 0.05 and step not in true
        for step, row in found.items()
    }


def test_planted_sequences_are_found_and_few_others_are(
    shared: duckdb.DuckDBPyConnection,
) -> None:
    n_false = 0
    for seed in range(3):
        customers, days, held = visited_shop(seed, FOLLOWED)
        write_held(shared, customers, held, days)
        found = sequences(shared, min_count=30)
        assert all(found[step]["p_value_bh"] <= 0.05 for step in FOLLOWED)
        assert len(found) > 500
        n_false += sum(is_false(found, FOLLOWED).values())
    # of 18 true ones
    assert n_false <= 2


def test_where_nothing_follows_next_to_nothing_is_found(
    shared: duckdb.DuckDBPyConnection,
) -> None:
    n_found = n_naively = n_rows = 0
    for seed in range(10, 13):
        customers, days, held = visited_shop(seed, ())
        write_held(shared, customers, held, days)
        found = sequences(shared, min_count=10)
        n_rows += len(found)
        n_found += sum(is_false(found, ()).values())
        n_naively += sum(row["p_value"] <= 0.05 for row in found.values())
    assert n_found <= 0.001 * n_rows
    assert 0.01 * n_rows < n_naively < 0.1 * n_rows


def test_habits_of_different_customers_are_no_sequence(shared: duckdb.DuckDBPyConnection) -> None:
    for seed in range(20, 23):
        customers, days, held = visited_shop(seed, {(1, 2)})
        write_held(shared, customers, held, days)
        found = sequences(shared, min_count=30)
        # who buys the one buys the other, on any day
        for step in (HABITS, HABITS[::-1]):
            row = found[step]
            counts = (row["antecedent_count"], row["consequent_count"], row["support_count"])
            assert row["lift"] > 2
            assert oracles_rules.fisher_p_value_of_many(row["n_orders"], *counts) < 1e-100
            assert row["p_value_bh"] > 0.05
            assert abs(row["z_score"]) < 3
        assert found[1, 2]["p_value_bh"] < 1e-6
