"""Segments by rules: cut points and names as tables, against plain Python and custseg.rfm."""

from __future__ import annotations

import math
import random
import re
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import duckdb
import oracles
import pyarrow as pa
import pytest
import test_features
import test_hazards

import custseg_duck
from custseg_duck import catalog
from tests.conftest import seeds

Rows = list[tuple[Any, ...]]
Value = float | None
Customer = tuple[int, Value, Value, Value]
Rule = tuple[int, str, *tuple[int | None, ...]]

MEASURES = ("recency", "frequency", "monetary")
FILES = (
    "rfm_values", "rfm_cut_points", "rfm_names", "rfm_scores", "rfm_cells", "rfm_segments",
    "rfm_summary",
)  # fmt: skip
CTES = sorted(
    set().union(*(test_hazards.ctes_of(catalog.statement(f"features/{file}")) for file in FILES))
)
SEGMENTS = "custseg.rfm_segments('customers', 'cuts', 'names')"


@pytest.fixture(scope="module")
def shared() -> Iterator[duckdb.DuckDBPyConnection]:
    """One database for all, as the tests are many."""
    with custseg_duck.connect() as connection:
        yield connection


@pytest.fixture
def con(shared: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database without tables of the tests before, and the default names."""
    shared.execute("create table names as from custseg.rfm_names()")
    yield shared
    for (name,) in shared.execute("select table_name from duckdb_tables()").fetchall():
        shared.execute(f"drop table if exists {name}")


def store(con: duckdb.DuckDBPyConnection, customers: Sequence[Customer]) -> None:
    """The table customers, of whole days and orders."""
    ids, recencies, frequencies, amounts = zip(*customers, strict=True) if customers else ([],) * 4
    values = pa.table(
        {
            "customer_id": pa.array(ids, pa.int64()),
            "recency_days": pa.array(recencies, pa.float64()),
            "frequency": pa.array(frequencies, pa.float64()),
            "monetary": pa.array(amounts, pa.float64()),
        }
    )
    con.register("given", values)
    con.execute("create or replace table customers as from given")
    con.unregister("given")


def cut(con: duckdb.DuckDBPyConnection, customers: Sequence[Customer], n_bins: int = 5) -> Rows:
    """Store the customers, and their cut points in the table cuts."""
    store(con, customers)
    con.execute(
        "create or replace table cuts as "
        f"from custseg.rfm_cut_points('customers', n_bins := {n_bins})"
    )
    return con.execute("from cuts").fetchall()


def write_names(con: duckdb.DuckDBPyConnection, rules: Sequence[Rule]) -> None:
    con.execute("delete from names")
    for rule in rules:
        con.execute("insert into names values (?, ?, ?, ?, ?, ?, ?, ?, null)", rule)


def segments(con: duckdb.DuckDBPyConnection) -> dict[int, str]:
    found = con.execute(f"select customer_id, rfm_segment from {SEGMENTS}").fetchall()
    assert len(found) == len(dict(found))
    return dict(found)


# --- what the macros promise, in plain Python ----------------------------------------------------


def scores_of(merits: Sequence[Value], n_bins: int) -> list[int | None]:
    """1 + floor(n_bins * customers with a lower value / customers)."""
    known = [merit for merit in merits if merit is not None]
    return [
        None if merit is None else 1 + n_bins * sum(other < merit for other in known) // len(merits)
        for merit in merits
    ]


def kept_score(merit: Value, fitted: Sequence[Value], n_bins: int) -> int | None:
    """The best score of those fitted whom this value is at least as good as, else the worst."""
    scored = [
        (other, score)
        for other, score in zip(fitted, scores_of(fitted, n_bins), strict=True)
        if other is not None and score is not None
    ]
    if merit is None or not scored:
        return None
    reached = [score for other, score in scored if other <= merit]
    return max(reached) if reached else min(score for _, score in scored)


def merits_of(customers: Sequence[Customer]) -> list[list[Value]]:
    """The measures so that more is better: few days are good."""
    return [
        [None if row[1] is None else -row[1] for row in customers],
        [row[2] for row in customers],
        [row[3] for row in customers],
    ]


def rule_of(scores: Sequence[int | None], rules: Sequence[Rule]) -> Rule:
    """The fitting rule with the lowest priority."""

    def fits(score: int | None, least: Any, most: Any) -> bool:
        if score is None:
            return least is None and most is None
        return (least is None or score >= least) and (most is None or score <= most)

    return next(
        rule
        for rule in sorted(rules, key=lambda rule: rule[0])
        if all(
            fits(score, rule[2 + 2 * place], rule[3 + 2 * place])
            for place, score in enumerate(scores)
        )
    )


def within(value: float, row: tuple[Any, ...]) -> bool:
    """Whether a cut point's interval holds a value, by the header of rfm_cut_points."""
    measure, _, at_least, at_most = row
    low = -math.inf if at_least is None else at_least
    high = math.inf if at_most is None else at_most
    if measure == "recency":
        return bool(low < value <= high) or (value == low == -math.inf)
    return bool(low <= value < high) or (value == high == math.inf)


def random_customers(rng: random.Random, first: int = 0) -> list[Customer]:
    """Customers with ties, on a few days or many, some without dates, orders or amounts."""
    n = rng.choice([1, 2, 10, 60, 200])
    span, most, step = rng.choice([0, 30, 700]), rng.choice([1, 4, 60]), rng.choice([0.01, 25])
    gaps = [rng.choice([0, 0, 0.2, 0.2, 1]) for _ in range(3)]

    def maybe(value: float, gap: float) -> Value:
        return None if rng.random() < gap else float(value)

    return [
        (
            first + number,
            maybe(rng.randint(0, span), gaps[0]),
            maybe(1 + int(rng.expovariate(1 / most)), gaps[1]),
            maybe(round(rng.randint(-20, 200) * step, 2), gaps[2]),
        )
        for number in range(n)
    ]


def random_rules(rng: random.Random) -> list[Rule]:
    """Rules that overlap, some of them with the same name, and a catch-all at the end."""
    rules: list[Rule] = []
    for priority in rng.sample(range(-50, 50), rng.choice([0, 1, 5, 20])):
        bounds: list[int | None] = []
        for _ in range(3):
            least = rng.randint(1, 6)
            most = least + rng.randint(0, 3)
            bounds += [rng.choice([None, least]), rng.choice([None, None, most])]
        if any(bound is not None for bound in bounds):
            rules.append((priority, f"segment {rng.randrange(5)}", *bounds))
    rng.shuffle(rules)
    return [*rules, (50, "all others", *[None] * 6)]


# --- as custseg.rfm ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", seeds(24))
def test_scores_and_names_of_a_shop_are_those_of_rfm(
    con: duckdb.DuckDBPyConnection, seed: int
) -> None:
    shop = test_features.random_shop(seed)
    shop.load(con)
    for n_bins in range(2, 10):
        con.execute(
            "create or replace table customers as "
            f"from custseg.rfm('lines'{shop.options()}, n_bins := {n_bins})"
        )
        con.execute(
            "create or replace table cuts as "
            f"from custseg.rfm_cut_points('customers', n_bins := {n_bins})"
        )
        con.execute(f"create or replace table names as from custseg.rfm_names(n_bins := {n_bins})")
        found = con.execute(
            f"select * exclude (rfm_cell, priority) from {SEGMENTS} order by all"
        ).fetchall()
        expected = con.execute("""
            select * exclude (rfm_cell, rfm_label), coalesce(rfm_label, 'other')
            from customers
            order by all
        """).fetchall()
        assert found or shop.as_of
        assert found == expected, n_bins


@pytest.mark.parametrize("n_bins", range(2, 10))
def test_the_default_names_are_the_labels_on_every_cell(
    con: duckdb.DuckDBPyConnection, n_bins: int
) -> None:
    con.execute(f"create or replace table names as from custseg.rfm_names(n_bins := {n_bins})")
    found = con.execute(
        "select r_score, f_score, m_score, rfm_segment from custseg.rfm_cells('names')"
    ).fetchall()
    scores = (None, *range(1, 10))
    assert {row[:3] for row in found} == {(r, f, m) for r in scores for f in scores for m in scores}
    for r, f, _, name in found:
        if max(r or 0, f or 0) <= n_bins:
            assert name == (oracles.label(r, f, n_bins) or "other")


def test_the_default_names(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute("from custseg.rfm_names()").fetchall()
    assert [row[:-1] for row in rows] == [
        (10, "champions", 5, 5, 4, 5, None, None),
        (20, "loyal", 3, 4, 4, 5, None, None),
        (30, "potential loyalists", 4, 5, 2, 3, None, None),
        (40, "new", 5, 5, 1, 1, None, None),
        (50, "promising", 4, 4, 1, 1, None, None),
        (60, "need attention", 3, 3, 3, 3, None, None),
        (70, "about to sleep", 3, 3, 1, 2, None, None),
        (80, "cannot lose them", 1, 2, 5, 5, None, None),
        (90, "at risk", 1, 2, 3, 4, None, None),
        (100, "hibernating", 1, 2, 1, 2, None, None),
        (110, "other", None, None, None, None, None, None),
    ]
    assert all(20 < len(row[-1]) < 80 for row in rows)


# --- worked by hand ------------------------------------------------------------------------------

FOUR: list[Customer] = [(1, 10, 1, 10), (2, 2, 2, 35), (3, 2, 1, 20), (4, 1, 3, 100)]


def test_cut_points_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    # the shop of test_rfm_by_hand: r 1, 2, 2, 4; f 1, 3, 1, 4; m 1, 3, 2, 4
    # recency: 10 days have 1, 2 days 2, 1 day 4, so 2 begins at 2 days and 4 at 1 day
    # frequency: 1 order has 1, 2 orders 3, 3 orders 4. monetary: 10, 20, 35, 100 have 1 to 4
    assert cut(con, FOUR) == [
        ("recency", 1, 2.0, None),
        ("recency", 2, 1.0, 2.0),
        ("recency", 4, None, 1.0),
        ("frequency", 1, None, 2.0),
        ("frequency", 3, 2.0, 3.0),
        ("frequency", 4, 3.0, None),
        ("monetary", 1, None, 20.0),
        ("monetary", 2, 20.0, 35.0),
        ("monetary", 3, 35.0, 100.0),
        ("monetary", 4, 100.0, None),
    ]
    # others: between two values the lower score, on a bound the better one, beyond all the last
    store(con, [(5, 3, 1.5, 34.99), (6, 2, 2, 35), (7, 0, 99, 1e9), (8, 999, 0, -5)])
    assert con.execute(f"from {SEGMENTS} order by customer_id").fetchall() == [
        (5, 3, 1.5, 34.99, 1, 1, 2, "112", "hibernating", 100),
        (6, 2, 2, 35, 2, 3, 3, "233", "at risk", 90),
        (7, 0, 99, 1e9, 4, 4, 4, "444", "loyal", 20),
        (8, 999, 0, -5, 1, 1, 1, "111", "hibernating", 100),
    ]


def test_equal_customers_have_one_score_for_every_value(con: duckdb.DuckDBPyConnection) -> None:
    expected = [(measure, 1, None, None) for measure in MEASURES]
    assert cut(con, [(number, 7, 2, 9.5) for number in range(6)]) == expected
    assert cut(con, [(1, 7, 2, 9.5)]) == expected
    store(con, [(1, 7, 2, 9.5), (2, 0, 99, 1e6)])
    assert segments(con) == {1: "hibernating", 2: "hibernating"}


def test_without_dates_all_are_others(con: duckdb.DuckDBPyConnection) -> None:
    rows = cut(con, [(1, None, 1, 5), (2, None, 2, None)])
    # half of the customers have fewer orders than 2: 1 + floor(5 * 1 / 2) = 3; one of two has no
    # amount and none has less than 5: score 1
    assert rows == [
        ("frequency", 1, None, 2.0),
        ("frequency", 3, 2.0, None),
        ("monetary", 1, None, None),
    ]
    found = con.execute(f"select * exclude (monetary) from {SEGMENTS} order by customer_id")
    assert found.fetchall() == [
        (1, None, 1, None, 1, 1, "-11", "other", 110),
        (2, None, 2, None, 3, None, "-3-", "other", 110),
    ]


def test_without_customers_there_is_nothing(con: duckdb.DuckDBPyConnection) -> None:
    assert cut(con, []) == []
    assert con.execute(f"from {SEGMENTS}").fetchall() == []
    store(con, [(1, 1, 1, 1)])
    assert con.execute(f"select rfm_cell, rfm_segment from {SEGMENTS}").fetchall() == [
        ("---", "other")
    ]


def test_a_zero_with_a_sign_is_a_zero(con: duckdb.DuckDBPyConnection) -> None:
    rows = cut(con, [(1, 0.0, 1, 0.0), (2, -0.0, 1, -0.0), (3, 5, 1, -1), (4, 5, 1, -1)])
    # half of the customers are worse: 1 + floor(5 * 2 / 4) = 3
    assert rows == [
        ("recency", 1, 0.0, None),
        ("recency", 3, None, 0.0),
        ("frequency", 1, None, None),
        ("monetary", 1, None, 0.0),
        ("monetary", 3, 0.0, None),
    ]
    found = con.execute(f"select rfm_cell from {SEGMENTS} order by customer_id").fetchall()
    assert found == [("313",), ("313",), ("111",), ("111",)]


def test_types_of_the_customers_do_not_matter(con: duckdb.DuckDBPyConnection) -> None:
    expected = cut(con, FOUR)
    named = segments(con)
    con.execute("""
        create or replace table customers as
        select
            'c' || customer_id as customer_id,
            recency_days::utinyint as recency_days,
            frequency::hugeint as frequency,
            monetary::decimal(10, 2) as monetary,
            'x' as rfm_cell,
            7 as r_score,
        from customers
    """)
    assert con.execute("from custseg.rfm_cut_points('customers')").fetchall() == expected
    rows = con.execute(f"select customer_id, rfm_segment, monetary from {SEGMENTS}").fetchall()
    assert {customer: name for customer, name, _ in rows} == {
        f"c{customer}": name for customer, name in named.items()
    }
    assert all(isinstance(amount, Decimal) for _, _, amount in rows)


def test_features_are_customers(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("create table customers as from custseg.customer_features('order_lines')")
    shop.execute("create table cuts as from custseg.rfm_cut_points('customers')")
    shop.execute("create or replace table names as from custseg.rfm_names()")
    assert (
        shop.execute(f"select customer_id, rfm_segment from {SEGMENTS} order by all").fetchall()
        == shop.execute("select customer_id, rfm_label from customers order by all").fetchall()
    )


def test_output_columns(con: duckdb.DuckDBPyConnection) -> None:
    cut(con, FOUR)
    con.execute(f"create table segments as from {SEGMENTS}")
    described = {
        "cuts": "measure VARCHAR, score INTEGER, at_least DOUBLE, at_most DOUBLE",
        "names": "priority INTEGER, rfm_segment VARCHAR, r_min INTEGER, r_max INTEGER, "
        "f_min INTEGER, f_max INTEGER, m_min INTEGER, m_max INTEGER, description VARCHAR",
        "segments": "customer_id BIGINT, recency_days DOUBLE, frequency DOUBLE, "
        "monetary DOUBLE, r_score INTEGER, f_score INTEGER, m_score INTEGER, "
        "rfm_cell VARCHAR, rfm_segment VARCHAR, priority INTEGER",
        "custseg.rfm_summary('segments')": "rfm_segment VARCHAR, priority INTEGER, "
        "n_customers BIGINT, customer_share DOUBLE, monetary DOUBLE, monetary_share DOUBLE, "
        "mean_recency_days DOUBLE, median_recency_days DOUBLE, mean_frequency DOUBLE, "
        "median_frequency DOUBLE",
    }
    for relation, expected in described.items():
        rows = con.execute(f"describe from {relation}").fetchall()
        assert ", ".join(f"{row[0]} {row[1]}" for row in rows) == expected


# --- oracles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", seeds(60))
def test_cut_points_that_were_kept_score_others(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    rng = random.Random(seed)
    fitted, n_bins = random_customers(rng), rng.randint(2, 9)
    rows = cut(con, fitted, n_bins)
    rules = random_rules(rng)
    write_names(con, rules)
    # others: as those fitted, close to them, between, far beyond, and of another shop
    others = [*fitted, *random_customers(rng, first=1000)]
    for _, *values in fitted[:20]:
        moved: list[Value] = [
            None
            if value is None
            else rng.choice(
                [
                    value,
                    value + rng.choice([-0.5, 0.5, -1e9, 1e9]),
                    math.nextafter(value, rng.choice([-math.inf, math.inf])),
                ]
            )
            for value in values
        ]
        others.append((2000 + len(others), moved[0], moved[1], moved[2]))
    rng.shuffle(others)
    store(con, others)
    found = {row[0]: row[1:] for row in con.execute(f"from {SEGMENTS}").fetchall()}
    assert len(found) == len(others)
    for customer, merits in zip(others, zip(*merits_of(others), strict=True), strict=True):
        scores = [
            kept_score(merit, known, n_bins)
            for merit, known in zip(merits, merits_of(fitted), strict=True)
        ]
        rule = rule_of(scores, rules)
        cell = "".join("-" if score is None else str(score) for score in scores)
        assert found[customer[0]] == (*customer[1:], *scores, cell, rule[1], rule[0])
        # and by the intervals as the header describes them
        for measure, value, score in zip(MEASURES, customer[1:], scores, strict=True):
            if value is not None:
                holding = [row[1] for row in rows if row[0] == measure and within(value, row)]
                assert holding == ([] if score is None else [score])


@pytest.mark.parametrize("seed", seeds(60))
def test_cut_points_cover_every_value_once(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    rng = random.Random(seed)
    customers, n_bins = random_customers(rng), rng.randint(2, 9)
    rows = cut(con, customers, n_bins)
    for place, measure in enumerate(MEASURES):
        own = [row for row in rows if row[0] == measure]
        expected = set(scores_of(merits_of(customers)[place], n_bins)) - {None}
        assert [row[1] for row in own] == sorted(score for score in expected if score)
        bounds = {bound for row in own for bound in row[2:] if bound is not None}
        assert bounds <= {customer[1 + place] for customer in customers}
        probes = {-math.inf, math.inf, 0.0, *bounds}
        probes |= {math.nextafter(bound, math.inf) for bound in bounds}
        probes |= {math.nextafter(bound, -math.inf) for bound in bounds}
        if own:
            assert all(sum(within(probe, row) for row in own) == 1 for probe in probes)
    # a table that was computed passes the guards
    assert len(segments(con)) == len(customers)


@pytest.mark.parametrize("seed", seeds(30))
def test_every_cell_has_the_rule_that_comes_first(
    con: duckdb.DuckDBPyConnection, seed: int
) -> None:
    rules = random_rules(random.Random(seed))
    write_names(con, rules)
    found = con.execute("from custseg.rfm_cells('names')").fetchall()
    assert len(found) == len({row[:3] for row in found}) == 1000
    for *scores, cell, name, priority in found:
        rule = rule_of(scores, rules)
        assert (priority, name) == rule[:2]
        assert cell == "".join("-" if score is None else str(score) for score in scores)


# --- edited tables -------------------------------------------------------------------------------


def test_a_rule_of_ones_own_comes_first(con: duckdb.DuckDBPyConnection) -> None:
    cut(con, FOUR)
    before = segments(con)
    assert before == {1: "hibernating", 2: "at risk", 3: "hibernating", 4: "loyal"}
    # 2 and 4 spend much; 4 is among them, as 5 is below 20
    con.execute("insert into names values (5, 'big', null, null, null, null, 3, null, null)")
    assert segments(con) == before | {2: "big", 4: "big"}
    con.execute("update names set priority = 95 where rfm_segment = 'big'")
    assert segments(con) == before
    con.execute("delete from names where rfm_segment = 'at risk'")
    assert segments(con) == before | {2: "big"}


def test_overlapping_rules_are_told_apart_by_priority(con: duckdb.DuckDBPyConnection) -> None:
    cut(con, FOUR)
    catch_all: Rule = (9, "rest", *[None] * 6)
    frequent: Rule = (1, "frequent", None, None, 3, None, None, None)
    recent: Rule = (2, "recent", 2, None, None, None, None, None)
    write_names(con, [catch_all, recent, frequent])
    assert segments(con) == {1: "rest", 2: "frequent", 3: "recent", 4: "frequent"}
    write_names(con, [frequent, (0, *recent[1:]), catch_all])
    assert segments(con) == {1: "rest", 2: "recent", 3: "recent", 4: "recent"}


def test_an_unknown_score_fits_where_any_does(con: duckdb.DuckDBPyConnection) -> None:
    cut(con, [(1, None, 1, 1), (2, 5, 1, 2), (3, 4, 1, None)])
    write_names(
        con,
        [
            (1, "unspent", None, None, None, None, 1, 9),
            (2, "dated", 1, 9, None, None, None, None),
            (3, "rest", *[None] * 6),
        ],
    )
    # 1 and 2 have some score of m; 3 has none, though 1 to 9 are all that there are
    assert segments(con) == {1: "unspent", 2: "unspent", 3: "dated"}


def test_edited_cut_points_are_used(con: duckdb.DuckDBPyConnection) -> None:
    cut(con, FOUR)
    con.execute("""
        create or replace table cuts as
        from (values
            ('monetary', 9, 1000, null), ('monetary', 1, null, 20), ('monetary', 5, 20, 1000),
            ('recency', 5, null, 2), ('recency', 2, 2, null)
        ) as edited (measure, score, at_least, at_most)
    """)
    found = con.execute(f"select rfm_cell from {SEGMENTS} order by customer_id").fetchall()
    assert found == [("2-1",), ("5-5",), ("5-5",), ("5-5",)]


def test_tables_from_a_text_file_are_taken(con: duckdb.DuckDBPyConnection) -> None:
    cut(con, FOUR)
    expected = segments(con)
    for name in ("cuts", "names"):
        con.execute(f"create or replace table {name} as select columns(*)::varchar from {name}")
    assert segments(con) == expected


HOSTILE = ("'; drop table names; --", 'a "quoted" {} name', "🦆 {0} %s \\", "", "null")


def test_hostile_names_are_only_names(con: duckdb.DuckDBPyConnection) -> None:
    cut(con, FOUR)
    rules: list[Rule] = [
        (place, name, place + 1, place + 1, None, None, None, None)
        for place, name in enumerate(HOSTILE[:4])
    ]
    write_names(con, [*rules, (9, HOSTILE[4], *[None] * 6)])
    # r 1, 2, 2, 4
    assert segments(con) == {1: HOSTILE[0], 2: HOSTILE[1], 3: HOSTILE[1], 4: HOSTILE[3]}
    con.execute(f"create table segments as from {SEGMENTS}")
    found = con.execute("select rfm_segment from custseg.rfm_summary('segments')").fetchall()
    assert found == [(HOSTILE[0],), (HOSTILE[1],), (HOSTILE[3],)]
    # in messages too
    con.execute("update names set r_min = 3, r_max = 2 where priority = 1")
    with pytest.raises(duckdb.Error, match=re.escape(f"for {HOSTILE[1]}")):
        segments(con)


def test_relations_of_odd_names(con: duckdb.DuckDBPyConnection) -> None:
    cut(con, FOUR)
    expected = con.execute(f"from {SEGMENTS} order by all").fetchall()
    for name in ("customers", "cuts", "names"):
        con.execute(f"""create temp table "my {name}; '" as from {name}""")
    found = con.execute("""
        from custseg.rfm_segments('"my customers; ''"', '"my cuts; ''"', '"my names; ''"')
        order by all
    """).fetchall()
    for name in ("customers", "cuts", "names"):
        con.execute(f"""drop table temp."my {name}; '" """)
    assert found == expected


# --- wrong usage ---------------------------------------------------------------------------------

NAME_EDITS = {
    "delete from names where rfm_segment = 'other'": (
        "names must have a catch-all (all scores NULL), got none in 10 rows"
    ),
    "delete from names": "names must have a catch-all (all scores NULL), got none in 0 rows",
    "update names set priority = 95 where rfm_segment = 'other'": (
        "the catch-all must have the highest priority number, got 95 for other"
    ),
    "insert into names values (15, 'too soon', null, null, null, null, null, null, null)": (
        "the catch-all must have the highest priority number, got 15 for too soon"
    ),
    "update names set priority = 10 where rfm_segment = 'loyal'": (
        "names must have each priority once, got 10 for 2 of them"
    ),
    "update names set priority = null where rfm_segment = 'loyal'": (
        "priority must not be NULL, got NULL for loyal"
    ),
    "alter table names alter priority type double; update names set priority = 10.5 "
    "where priority = 10": "priority must be a whole number, got 10.5",
    "update names set rfm_segment = null where priority = 20": (
        "rfm_segment must not be NULL, got NULL at priority 20"
    ),
    "update names set m_max = 10 where priority = 20": (
        "scores must be whole numbers from 1 to 9, got [3.0, 4.0, NULL] to [4.0, 5.0, 10.0] "
        "for loyal"
    ),
    "update names set r_min = 0 where priority = 20": (
        "scores must be whole numbers from 1 to 9, got [0.0, 4.0, NULL] to [4.0, 5.0, NULL] "
        "for loyal"
    ),
    "alter table names alter r_min type double; update names set r_min = 3.5 "
    "where priority = 20": "scores must be whole numbers from 1 to 9, got [3.5, 4.0, NULL]",
    "update names set f_min = 5, f_max = 4 where priority = 20": (
        "the least score must not be above the most, got [3.0, 5.0, NULL] to [4.0, 4.0, NULL] "
        "for loyal"
    ),
}

CUT_EDITS = {
    "update cuts set at_least = 36 where at_least = 35": (
        "cut points of monetary must have no gap, got one from 35.0 to 36.0"
    ),
    "delete from cuts where measure = 'monetary' and score = 3": (
        "cut points of monetary must have no gap, got one from 35.0 to 100.0"
    ),
    "update cuts set at_least = 34 where at_least = 35": (
        "cut points of monetary must not overlap, got two at 34.0"
    ),
    "insert into cuts from cuts where measure = 'frequency' and score = 3": (
        "cut points of frequency must not overlap, got two at 2.0"
    ),
    "insert into cuts values ('recency', 5, null, 0)": (
        "cut points of recency must not overlap, got two without at_least"
    ),
    "insert into cuts values ('monetary', 5, 200, null)": (
        "cut points of monetary must not overlap, got two at 200.0"
    ),
    "delete from cuts where measure = 'recency' and score = 4": (
        "cut points of recency must cover all values, got none below 1.0"
    ),
    "delete from cuts where measure = 'frequency' and score = 1": (
        "cut points of frequency must cover all values, got none below 2.0"
    ),
    "delete from cuts where measure = 'recency' and score = 1": (
        "cut points of recency must cover all values, got none above 2.0"
    ),
    "update cuts set at_most = 1e6 where at_least = 100": (
        "cut points of monetary must cover all values, got none above 1000000.0"
    ),
    "update cuts set at_most = 20 where at_least = 20": (
        "at_least must be below at_most, got 20.0 to 20.0 in monetary"
    ),
    "update cuts set at_least = 'nan' where at_least = 100": (
        "cut points of monetary must be finite or NULL, got nan to NULL"
    ),
    "update cuts set at_most = 'inf' where at_least = 100": (
        "cut points of monetary must be finite or NULL, got 100.0 to inf"
    ),
    "update cuts set score = 10 where at_least = 100": (
        "a score of monetary must be a whole number from 1 to 9, got 10"
    ),
    "update cuts set score = null where at_least = 100": (
        "a score of monetary must be a whole number from 1 to 9, got NULL"
    ),
    "update cuts set score = 3 where at_least = 100": (
        "scores of monetary must rise as its values grow, got 3 before 3"
    ),
    "update cuts set score = 2 where measure = 'recency' and score = 4": (
        "scores of recency must fall as its values grow, got 2 before 2"
    ),
    "update cuts set score = 6 - score where measure = 'recency'": (
        "scores of recency must fall as its values grow, got 2 before 4"
    ),
    "update cuts set measure = 'spend {}' where measure = 'monetary'": (
        "measure must be recency, frequency or monetary, got spend {}"
    ),
    "update cuts set measure = null where measure = 'recency'": (
        "measure must be recency, frequency or monetary, got NULL"
    ),
}

CUSTOMER_EDITS = {
    "insert into customers from customers where customer_id < 3": (
        "customers must hold each customer once, got 2 rows too many"
    ),
    "update customers set customer_id = null where customer_id < 3": (
        "customer_id must not be NULL, got NULL in 2 rows"
    ),
    "update customers set monetary = 'nan' where customer_id = 3": (
        "monetary must be finite, got nan"
    ),
    "update customers set recency_days = '-inf' where customer_id = 3": (
        "recency_days must be finite, got -inf"
    ),
    "update customers set frequency = 'inf' where customer_id = 3": (
        "frequency must be finite, got inf"
    ),
}


@pytest.mark.parametrize("edit", [*NAME_EDITS, *CUT_EDITS, *CUSTOMER_EDITS])
def test_a_wrong_edit_is_refused(con: duckdb.DuckDBPyConnection, edit: str) -> None:
    cut(con, FOUR)
    assert len(segments(con)) == 4
    con.execute(edit)
    message = (NAME_EDITS | CUT_EDITS | CUSTOMER_EDITS)[edit]
    with pytest.raises(duckdb.Error, match=re.escape(message)):
        segments(con)
    # however little is asked for
    with pytest.raises(duckdb.Error, match=re.escape(message)):
        con.execute(f"select count(*) from {SEGMENTS}").fetchall()
    if edit in CUSTOMER_EDITS:
        with pytest.raises(duckdb.Error, match=re.escape(message)):
            con.execute("from custseg.rfm_cut_points('customers')").fetchall()


@pytest.mark.parametrize("n_bins", ["1", "10", "2.5", "null"])
def test_n_bins_out_of_range(con: duckdb.DuckDBPyConnection, n_bins: str) -> None:
    store(con, FOUR)
    message = f"n_bins must be a whole number from 2 to 9, got {n_bins}"
    for call in ("rfm_cut_points('customers', ", "rfm_names("):
        with pytest.raises(duckdb.Error, match=f"(?i){re.escape(message)}"):
            con.execute(f"from custseg.{call}n_bins := {n_bins})").fetchall()


# --- summary -------------------------------------------------------------------------------------


def test_summary_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    cut(con, FOUR)
    con.execute(f"create table segments as from {SEGMENTS}")
    # hibernating: 1 and 3, 10 + 20 of 165, recency 10 and 2, one order each
    assert con.execute("from custseg.rfm_summary('segments')").fetchall() == [
        ("loyal", 20, 1, 0.25, 100.0, 100 / 165, 1.0, 1.0, 3.0, 3.0),
        ("at risk", 90, 1, 0.25, 35.0, 35 / 165, 2.0, 2.0, 2.0, 2.0),
        ("hibernating", 100, 2, 0.5, 30.0, 30 / 165, 6.0, 6.0, 1.0, 1.0),
    ]
    con.execute("update segments set monetary = null, recency_days = null, frequency = null")
    unknown = (None,) * 6
    assert con.execute("from custseg.rfm_summary('segments')").fetchall() == [
        ("loyal", 20, 1, 0.25, *unknown),
        ("at risk", 90, 1, 0.25, *unknown),
        ("hibernating", 100, 2, 0.5, *unknown),
    ]
    # 3 - 1 - 1 + 0 = 1
    con.execute("update segments set monetary = case when rfm_segment = 'loyal' then 3 else -1 end")
    con.execute("update segments set monetary = 0 where customer_id = 3")
    found = con.execute("select monetary, monetary_share from custseg.rfm_summary('segments')")
    assert found.fetchall() == [(3.0, 3.0), (-1.0, -1.0), (-1.0, -1.0)]
    con.execute("update segments set monetary = 1 where rfm_segment = 'loyal'")
    con.execute("update segments set monetary = 0 where rfm_segment = 'hibernating'")
    found = con.execute("select monetary_share from custseg.rfm_summary('segments')")
    assert found.fetchall() == [(None,)] * 3
    con.execute("delete from segments")
    assert con.execute("from custseg.rfm_summary('segments')").fetchall() == []


def test_a_name_of_two_rules_is_one_segment(con: duckdb.DuckDBPyConnection) -> None:
    cut(con, FOUR)
    write_names(
        con,
        [
            (1, "good", 4, None, None, None, None, None),
            (2, "middle", None, None, 3, None, None, None),
            (3, "good", 2, None, None, None, None, None),
            (9, "rest", *[None] * 6),
        ],
    )
    assert segments(con) == {1: "rest", 2: "middle", 3: "good", 4: "good"}
    con.execute(f"create table segments as from {SEGMENTS}")
    found = con.execute(
        "select rfm_segment, priority, n_customers from custseg.rfm_summary('segments')"
    )
    assert found.fetchall() == [("good", 1, 2), ("middle", 2, 1), ("rest", 9, 1)]


@pytest.mark.parametrize("seed", seeds(30))
def test_summary_against_plain_python(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    rng = random.Random(seed)
    cut(con, random_customers(rng))
    write_names(con, random_rules(rng))
    con.execute(f"create table segments as from {SEGMENTS}")
    by_name = defaultdict(list)
    for _, recency, frequency, amount, _, _, _, _, name, priority in con.execute(
        "from segments"
    ).fetchall():
        by_name[name].append((recency, frequency, amount, priority))
    n_customers = sum(len(rows) for rows in by_name.values())
    amounts = {
        name: [Decimal(str(row[2])) for row in rows if row[2] is not None]
        for name, rows in by_name.items()
    }
    total = sum((sum(values) for values in amounts.values()), Decimal(0))
    expected: Rows = []
    for name, rows in sorted(by_name.items(), key=lambda item: min(row[3] for row in item[1])):
        spent = sum(amounts[name], Decimal(0)) if amounts[name] else None
        expected.append(
            (
                name,
                min(row[3] for row in rows),
                len(rows),
                len(rows) / n_customers,
                None if spent is None else float(spent),
                None if spent is None or not total else float(spent) / float(total),
            )
        )
        for place in (0, 1):
            known = [row[place] for row in rows if row[place] is not None]
            expected[-1] += (
                sum(known) / len(known) if known else None,
                statistics.median(known) if known else None,
            )
    assert con.execute("from custseg.rfm_summary('segments')").fetchall() == expected


# --- determinism, names --------------------------------------------------------------------------


def test_rows_do_not_depend_on_order_or_threads(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        create table ordered as
        select
            number as customer_id,
            case when hash(number, 4) % 50 > 0 then hash(number, 1)::hugeint % 700 end
                as recency_days,
            1 + (hash(number, 2)::hugeint % 100) * (hash(number, 5)::hugeint % 100) // 300
                as frequency,
            exp((hash(number, 3) % 100000) / 20000.0) as monetary,
        from range(150000) as numbers (number)
    """)
    found = []
    for threads, order in ((1, "customer_id"), (4, "hash(customer_id, 9)"), (3, "monetary desc")):
        con.execute(f"set threads = {threads}")
        con.execute(f"create or replace table customers as from ordered order by {order}")
        con.execute("create or replace table cuts as from custseg.rfm_cut_points('customers')")
        con.execute(f"create or replace table names as from custseg.rfm_names() order by {threads}")
        con.execute(f"create or replace table segments as from {SEGMENTS}")
        found.append(
            (
                con.execute("from cuts").fetchall(),
                con.execute("from segments order by customer_id").fetchall(),
                con.execute("from custseg.rfm_summary('segments')").fetchall(),
            )
        )
    con.execute("reset threads")
    assert len(found[0][1]) == 150000
    assert len(found[0][2]) == 11
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    "setting", ["default_order = 'desc'", "default_null_order = 'nulls_first'"]
)
def test_settings_of_the_session_change_nothing(setting: str) -> None:
    found = []
    for statement in ("select 1", f"set {setting}"):
        with custseg_duck.connect() as con:
            con.execute(statement)
            con.execute("create table names as from custseg.rfm_names()")
            rows = cut(con, [*FOUR, (5, None, 1, None), (6, 3, None, 50)])
            con.execute(f"create table segments as from {SEGMENTS} order by customer_id asc")
            found.append(
                (
                    rows,
                    con.execute("from names").fetchall(),
                    con.execute("from segments order by customer_id asc").fetchall(),
                    con.execute("from custseg.rfm_summary('segments')").fetchall(),
                )
            )
    assert found[0] == found[1]


def test_there_are_ctes_to_try() -> None:
    assert {"merits_scored", "names_to_check", "segment_totals", "scales"} <= set(CTES)


@pytest.mark.parametrize("name", [*CTES, "cut_points", "rfm_segments"])
def test_a_table_named_like_a_cte_is_read_all_the_same(
    con: duckdb.DuckDBPyConnection, name: str
) -> None:
    cut(con, FOUR)
    con.execute(f"create table segments as from {SEGMENTS}")
    calls = {
        "custseg.rfm_values('{}')": "customers",
        "custseg.rfm_cut_points('{}')": "customers",
        "custseg.rfm_scores('{}', 'cuts')": "customers",
        "custseg.rfm_scores('customers', '{}')": "cuts",
        "custseg.rfm_cells('{}')": "names",
        "custseg.rfm_segments('{}', 'cuts', 'names')": "customers",
        "custseg.rfm_segments('customers', '{}', 'names')": "cuts",
        "custseg.rfm_segments('customers', 'cuts', '{}')": "names",
        "custseg.rfm_summary('{}')": "segments",
    }
    for call, relation in calls.items():
        expected = con.execute(f"from {call.format(relation)} order by all").fetchall()
        con.execute(f"create table {name} as from {relation}")
        assert con.execute(f"from {call.format(name)} order by all").fetchall() == expected, call
        con.execute(f"drop table {name}")


def test_columns_named_like_parameters_are_no_matter(con: duckdb.DuckDBPyConnection) -> None:
    rows = cut(con, FOUR)
    expected = con.execute(f"from {SEGMENTS} order by all").fetchall()
    for table in ("customers", "cuts", "names"):
        for column in ("customers", "cut_points", "names", "n_bins", "problem", "n_customers"):
            con.execute(f"alter table {table} add column {column} integer default 1")
    assert con.execute("from custseg.rfm_cut_points('customers')").fetchall() == rows
    assert con.execute(f"from {SEGMENTS} order by all").fetchall() == expected
