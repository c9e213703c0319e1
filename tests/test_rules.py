"""Rules against their definitions, scipy and mlxtend, and against shops whose truth is known."""

# hypothesis keeps the annotations of fixtures for ever, and DuckDB complains at exit if its classes
# are among them; as texts they are not
from __future__ import annotations

import itertools
import math
import os
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import oracles
import oracles_rules
import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlxtend import frequent_patterns  # type: ignore[import-untyped]
from oracles_rules import Rules
from scipy import stats  # type: ignore[import-untyped]
from shops import medium_baskets

import custseg_duck

# the only columns that an oracle does not give
LABELS = {"rule_id", "antecedents", "consequents", "antecedent_names", "consequent_names"}
# of which a small one matters as much as a large one
P_VALUES = {"p_value", "p_value_bonferroni", "p_value_bh", "improvement_p_value"}
# smallest first
RISING = {"p_value", "p_value_bonferroni", "p_value_bh"}
# those that depend on how many rules there could be
ADJUSTED = {"n_tests", "p_value_bonferroni", "p_value_bh"}
EVERY_RULE = "min_confidence := 0, max_consequents := null"
every_small_shop = settings(
    max_examples=int(os.environ.get("CUSTSEG_EXAMPLES", "25")),
    deadline=None,
    derandomize=True,
)


@pytest.fixture(scope="module")
def shared() -> Iterator[duckdb.DuckDBPyConnection]:
    """One database for the tests that are many; each replaces the tables that it reads."""
    with custseg_duck.connect() as connection:
        yield connection


# --- what the macro gives ------------------------------------------------------------------------


def write(con: duckdb.DuckDBPyConnection, baskets: Mapping[int, set[str]]) -> None:
    """Write baskets as the table ``lines``."""
    pairs = [(order, item) for order, items in baskets.items() for item in sorted(items)]
    columns = {
        "order_id": pa.array([order for order, _ in pairs], pa.int64()),
        "product_id": pa.array([item for _, item in pairs], pa.string()),
    }
    con.register("incoming", pa.table(columns))
    con.execute("create or replace table lines as from incoming")
    con.unregister("incoming")


def mine(
    con: duckdb.DuckDBPyConnection, options: str, into: str = "itemsets"
) -> dict[oracles.Itemset, int]:
    """The itemsets of the table ``lines`` and their counts, in a table too."""
    con.execute(
        f"create or replace table {into} as from custseg.frequent_itemsets('lines', {options})"
    )
    rows = con.sql(f"select items, support_count from {into}").fetchall()
    return {frozenset(items): count for items, count in rows}


def ruled(
    con: duckdb.DuckDBPyConnection, options: str = EVERY_RULE, itemsets: str = "itemsets"
) -> Rules:
    """Every column of the rules, by antecedents and consequents, in the order of ``rule_id``."""
    found = con.execute(f"from custseg.association_rules('{itemsets}', {options}) order by rule_id")
    columns = [name for name, *_ in found.description or ()]
    rows = [dict(zip(columns, values, strict=True)) for values in found.fetchall()]
    assert [row["rule_id"] for row in rows] == list(range(1, len(rows) + 1))
    rules = {(frozenset(row["antecedents"]), frozenset(row["consequents"])): row for row in rows}
    assert len(rules) == len(rows)
    return rules


def written(options: Mapping[str, Any]) -> str:
    """Options as one would write them in SQL."""
    texts = ("null" if value is None else repr(value) for value in options.values())
    return ", ".join(f"{name} := {text}" for name, text in zip(options, texts, strict=True))


def same(found: Any, value: Any, tiny: float = 1e-12) -> bool:
    """Equal; floats within a relative 1e-9."""
    if value is None or found is None or isinstance(value, bool):
        return found is value
    return math.isclose(found, value, rel_tol=1e-9, abs_tol=tiny)


def assert_same_rules(got: Rules, expected: Rules) -> None:
    """Equal rules, and every column that is expected."""
    assert set(got) == set(expected)
    for rule, row in expected.items():
        for name in row:
            found, tiny = got[rule][name], 0 if name in P_VALUES else 1e-12
            assert same(found, row[name], tiny), (rule, name, found, row[name])


def in_order(rules: Rules, measure: str = "lift") -> Rules:
    """Best first; of equal ones the more frequent, then by their items."""

    def place(row: oracles.Row) -> tuple[bool, float, int, list[str], list[str]]:
        value = row[measure]
        key = 0 if value is None else value if measure in RISING else -value
        return value is None, key, -row["support_count"], row["antecedents"], row["consequents"]

    return dict(sorted(rules.items(), key=lambda rule: place(rule[1])))


# --- the definitions -----------------------------------------------------------------------------


@st.composite
def shops(draw: st.DrawFn) -> dict[int, set[str]]:
    """Up to 40 orders of up to 6 items; of some shops one item is in every order."""
    items = "abcdef"[: draw(st.integers(2, 6))]
    orders = draw(st.lists(st.sets(st.sampled_from(items), min_size=1), min_size=1, max_size=40))
    in_all = set(items[0]) if draw(st.booleans()) else set()
    return {order: held | in_all for order, held in enumerate(orders)}


@every_small_shop
@given(
    baskets=shops(),
    min_count=st.integers(1, 3),
    min_confidence=st.sampled_from([f"{twentieths * 0.05:.2f}" for twentieths in range(21)]),
    max_consequents=st.sampled_from([None, 1]),
)
def test_every_column_of_every_rule_is_as_defined(
    shared: duckdb.DuckDBPyConnection,
    baskets: dict[int, set[str]],
    min_count: int,
    min_confidence: str,
    max_consequents: int | None,
) -> None:
    write(shared, baskets)
    counts = mine(shared, f"min_count := {min_count}, max_length := null")
    options = written({"max_consequents": max_consequents})
    got = ruled(shared, f"min_confidence := {min_confidence}, {options}")
    expected = oracles_rules.association_rules(
        counts, len(baskets), min_confidence, max_consequents=max_consequents
    )
    assert_same_rules(got, expected)
    assert all(row.keys() == LABELS | expected[rule].keys() for rule, row in got.items())
    assert list(got) == list(in_order(got))


def test_what_an_item_adds_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    # a is in 6 of 10 orders, b in 4, both in 3; c in 5: with a in 3, with b in 3, with both in 3
    baskets = ["abc", "abc", "abc", "a", "a", "a", "b", "c", "c", "z"]
    write(con, {order: set(held) for order, held in enumerate(baskets)})
    mine(con, "min_count := 1, max_length := null")
    rules = ruled(con)

    def compared(antecedents: str, consequents: str) -> tuple[float, bool, float]:
        row = rules[frozenset(antecedents), frozenset(consequents)]
        return row["improvement"], row["is_redundant"], row["improvement_p_value"]

    # of one antecedent: against the 5 of 10 orders that hold c anyway
    assert compared("a", "c") == pytest.approx((3 / 6 - 5 / 10, True, 186 / 252))
    assert compared("b", "c") == pytest.approx((3 / 4 - 5 / 10, False, 66 / 252))
    # ab -> c always holds; b -> c in 3 of 4. Among the 4 orders with b, 3 hold a and the same 3 c:
    # one way of 4. Among the 6 with a, 3 hold b and the same 3 c: one way of 20
    assert compared("ab", "c") == pytest.approx((1 - 3 / 4, False, 1 / 4))
    # a and c say no more of b than c alone does not: c -> b in 3 of 5, ac -> b in 3 of 3
    assert compared("ac", "b") == pytest.approx((1 - 3 / 5, False, 1 / 10))
    # bc -> a always holds, as b -> a does in 3 of 4, c -> a in 3 of 5
    assert compared("bc", "a") == pytest.approx((1 - 3 / 4, False, 1 / 4))
    # two consequents: a -> bc in 3 of 6, against 3 of 10
    assert compared("a", "bc") == pytest.approx((3 / 6 - 3 / 10, False, 20 / 120))


@pytest.mark.parametrize("n", [2, 3, 14, 100, 1009, 33_333])
def test_an_interval_holds_its_confidence(con: duckdb.DuckDBPyConnection, n: int) -> None:
    # of the n orders with a all hold b; of those with c one does not
    con.execute(
        "create table itemsets as select * from (values (['a'], $n), (['b'], $n + 1), "
        "(['c'], $n), (['a', 'b'], $n), (['b', 'c'], $n - 1)) as sets (items, support_count)",
        {"n": n},
    )
    con.execute(
        "alter table itemsets add support double; update itemsets set support = support_count / "
        f"({n} + 5)"
    )
    rows = con.execute(
        "select confidence_low, confidence, confidence_high from custseg.association_rules("
        "'itemsets', min_confidence := 0)"
    ).fetchall()
    assert rows
    assert all(0 <= low <= confidence <= high <= 1 for low, confidence, high in rows)
    assert {high for _, confidence, high in rows if confidence == 1} == {1}


def test_an_antecedent_that_changes_nothing_makes_a_rule_redundant(
    con: duckdb.DuckDBPyConnection,
) -> None:
    # x is in every order with a; y is bought regardless of all else; n keeps some from b
    baskets = ["axb", "axby", "ax", "axy", "axbn", "axn", "axny", "z", "zy", "zb", "zby", "z"]
    write(con, {order: set(held) for order, held in enumerate(baskets)})
    mine(con, "min_count := 1, max_length := null")
    rules = ruled(con)
    for antecedents, improvement in [("ax", 0), ("axn", 1 / 3 - 3 / 7), ("an", 1 / 3 - 3 / 7)]:
        row = rules[frozenset(antecedents), frozenset("b")]
        assert row["improvement"] == pytest.approx(improvement, abs=1e-15)
        assert row["is_redundant"]
    # among the orders with a, all hold x: nothing could be more
    assert rules[frozenset("ax"), frozenset("b")]["improvement_p_value"] == pytest.approx(1)
    # a -> b in 3 of 7 is more than the 5 of 12 that hold b
    assert not rules[frozenset("a"), frozenset("b")]["is_redundant"]


def test_representativity_is_the_share_of_the_orders_without_unknown_items(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute(
        "create table lines as select * from (values (1, 'a'), (1, 'b'), (2, 'a'), (2, null), "
        "(3, 'b'), (4, 'a'), (4, 'b'), (4, null), (5, 'a')) as lines (order_id, product_id)"
    )
    mine(con, "min_count := 1")
    assert {row["representativity"] for row in ruled(con).values()} == {3 / 5}
    con.execute("create table silent as select items, support, support_count from itemsets")
    assert {row["representativity"] for row in ruled(con, itemsets="silent").values()} == {1.0}


# --- p values ------------------------------------------------------------------------------------

Counts = tuple[int, int, int, int]


def p_values(con: duckdb.DuckDBPyConnection, counts: Sequence[Counts]) -> list[Any]:
    """What the macro gives for n, a, c, b, in order."""
    columns = zip("nacb", zip(*counts, strict=True), strict=True)
    table = pa.table({name: pa.array(values, pa.int64()) for name, values in columns})
    con.register("incoming", table)
    con.execute(
        "create or replace table counted as select row_number() over () as i, * from incoming"
    )
    con.unregister("incoming")
    rows = con.sql("select custseg.fisher_p_value(n, a, c, b) from counted order by i").fetchall()
    return [p for (p,) in rows]


def spread_counts(n: int, steps: Sequence[int]) -> Iterator[Counts]:
    """Few to all orders on each side; both as often as possible, and steps from what is expected.

    A step is a standard deviation.
    """
    shares = (1e-6, 1e-4, 0.01, 0.2, 0.5, 0.9, 0.999, 1)
    held = sorted({max(1, round(n * share)) for share in shares})
    for a, c in itertools.product(held, held):
        mean, first, last = a * c / n, max(0, a + c - n), min(a, c)
        deviation = math.sqrt(mean * (1 - a / n) * (n - c) / (n - 1))
        around = {round(mean + step * deviation) for step in steps}
        yield from ((n, a, c, b) for b in {first, first + 1, last} | around if first <= b <= last)


def test_p_values_of_all_small_tables_are_exact(shared: duckdb.DuckDBPyConnection) -> None:
    counts = [
        (n, a, c, b)
        for n in range(1, 13)
        for a, c in itertools.product(range(n + 1), repeat=2)
        for b in range(min(a, c) + 1)
    ]
    for found, table in zip(p_values(shared, counts), counts, strict=True):
        assert same(found, float(oracles_rules.fisher_p_value(*table)), 0), table


@pytest.mark.parametrize("n", [60, 1_000, 100_000, 5_000_000, 30_000_000])
def test_p_values_of_large_tables_are_those_of_scipy(
    shared: duckdb.DuckDBPyConnection, n: int
) -> None:
    steps = (-30, -10, -3, -1, 0, 1, 2, 3, 6, 10, 20, 30, 36)
    counts = list(spread_counts(n, steps))
    assert len(counts) > 80
    found = np.array(p_values(shared, counts), float)
    a, c, b = (np.array(values) for values in list(zip(*counts, strict=True))[1:])
    theirs = stats.hypergeom.sf(b - 1, n, c, a)
    exact = np.array([oracles_rules.fisher_p_value_of_many(*table) for table in counts])
    for expected in (theirs, exact):
        wrong = np.flatnonzero((expected > 1e-300) & ~np.isclose(found, expected, 1e-7, 0))
        assert [(counts[i], found[i], expected[i]) for i in wrong] == []
    assert np.all((found >= 0) & (found <= 1))
    assert np.all(found[exact <= 1e-300] <= 1.1e-300)
    assert np.sum(exact < 1e-30) > 5 or n < 1_000


def test_p_values_where_nothing_is_left_to_chance(shared: duckdb.DuckDBPyConnection) -> None:
    for n in (1, 2, 10, 1_000, 30_000_000):
        some = max(1, n // 3)
        counts = [
            (n, some, some, 0),  # there cannot be fewer
            (n, n, some, some),  # all orders hold the antecedents
            (n, some, n, some),  # all orders hold the consequents
            (n, n, n, n),
            (n, n - n // 4, n - n // 4, n - 2 * (n // 4)),  # so many that they must meet
            (n, 0, some, 0),
            (n, 0, 0, 0),
        ]
        assert p_values(shared, counts) == pytest.approx([1.0] * len(counts), rel=1e-12)
    # all of the few: one way of C(n, c)
    assert p_values(shared, [(100, 4, 4, 4)]) == pytest.approx([1 / math.comb(100, 4)], rel=1e-9)


def test_the_more_orders_hold_both_the_smaller_the_p_value(
    shared: duckdb.DuckDBPyConnection,
) -> None:
    found = p_values(shared, [(10_000, 400, 700, b) for b in range(401)])
    # 1 to the last digit where there are far fewer than expected
    assert all(after <= before for before, after in itertools.pairwise(found))
    assert all(after < before for before, after in itertools.pairwise(found[10:]) if before > 0)
    assert p_values(shared, [(10_000, 700, 400, b) for b in range(401)]) == pytest.approx(
        found, rel=1e-7, abs=1e-300
    )


def test_a_p_value_of_an_unknown_count_is_unknown(shared: duckdb.DuckDBPyConnection) -> None:
    for unknown, null in itertools.product(range(4), ("null", "null::bigint")):
        counts = ", ".join(null if i == unknown else known for i, known in enumerate("9453"))
        query = f"select custseg.fisher_p_value({counts})"
        assert shared.sql(query).fetchall() == [(None,)], counts
    some: list[Any] = [(9, 4, 5, 3), (None, 4, 5, 3), (9, None, 5, 3), (9, 4, None, 3)]
    some.append((9, 4, 5, None))
    # C(4, 3) C(5, 2) + C(4, 4) C(5, 1) ways of C(9, 5)
    assert p_values(shared, some) == [pytest.approx(45 / 126), None, None, None, None]


def test_a_hyper_lift_of_an_unknown_count_is_unknown(shared: duckdb.DuckDBPyConnection) -> None:
    for unknown, null in itertools.product(range(4), ("null", "null::bigint")):
        counts = ", ".join(null if i == unknown else known for i, known in enumerate("9453"))
        query = f"select custseg.hyper_lift({counts})"
        assert shared.sql(query).fetchall() == [(None,)], counts


@pytest.mark.parametrize("function", ["fisher_p_value", "hyper_lift"])
def test_counts_are_taken_up_to_their_bounds_and_no_further(
    shared: duckdb.DuckDBPyConnection, function: str
) -> None:
    most = 10**15
    for counts in [
        (most - 1, 4, 5, 3), (9, 9, 5, 5), (9, 4, 9, 4), (9, 9, 9, 9), (9, 4, 5, 0), (9, 4, 5, 4),
        (9, 5, 4, 4), (9, 0, 5, 0), (9, 4, 0, 0),
    ]:  # fmt: skip
        ((found,),) = shared.sql(f"select custseg.{function}{counts}").fetchall()
        assert found >= 0, counts
    for counts in [
        (most, 4, 5, 3), (9, 10, 5, 3), (9, 4, 10, 3), (9, 4, 5, -1), (9, 4, 5, 5), (9, 5, 4, 5),
    ]:  # fmt: skip
        with pytest.raises(duckdb.InvalidInputException, match="counts must be 0 <= n_both"):
            shared.sql(f"select custseg.{function}{counts}").fetchall()


def test_the_normal_tail_is_that_of_scipy(shared: duckdb.DuckDBPyConnection) -> None:
    z = np.unique(np.concatenate([np.linspace(-37, 37, 14_801), np.geomspace(1e-9, 1, 50)]))
    shared.register("incoming", pa.table({"z": z}))
    rows = shared.sql("select custseg.normal_tail(z) from incoming order by z").fetchall()
    shared.unregister("incoming")
    found, expected = np.array(rows, float)[:, 0], stats.norm.sf(z)
    wrong = np.flatnonzero(~np.isclose(found, expected, 1e-10, 0))
    assert [(z[i], found[i], expected[i]) for i in wrong] == []


def write_pairs(
    con: duckdb.DuckDBPyConnection, n: int, pairs: Sequence[tuple[int, int, int]]
) -> None:
    """Itemsets by their counts a, c and b: of each pair two items of its own, and both."""
    counts: dict[tuple[int, ...], int] = {}
    for i, (a, c, b) in enumerate(pairs):
        counts |= {(2 * i,): a, (2 * i + 1,): c, (2 * i, 2 * i + 1): b}
    columns = {
        "items": pa.array([list(items) for items in counts], pa.list_(pa.int64())),
        "support": pa.array([count / n for count in counts.values()]),
        "support_count": pa.array(counts.values(), pa.int64()),
    }
    con.register("incoming", pa.table(columns))
    con.execute("create or replace table itemsets as from incoming")
    con.unregister("incoming")


@pytest.mark.parametrize("n", [3, 40, 1_000, 5_000_000, 30_000_000])
def test_hyper_lift_is_by_the_quantile_of_scipy(shared: duckdb.DuckDBPyConnection, n: int) -> None:
    pairs = [(a, c, b) for _, a, c, b in spread_counts(n, (0, 20)) if b]
    write_pairs(shared, n, pairs)
    rules = ruled(shared)
    assert len(rules) == 2 * len(pairs)
    for i, (a, c, b) in enumerate(pairs):
        quantile = stats.hypergeom.ppf(0.99, n, c, a)
        assert quantile == oracles_rules.hyper_quantile_of_many(n, a, c)
        expected = b / quantile if quantile else math.inf
        for start, end in itertools.permutations([2 * i, 2 * i + 1]):
            row = rules[frozenset([start]), frozenset([end])]
            assert same(row["hyper_lift"], expected), (n, a, c, b)
            table = (n, a, c, b) if start < end else (n, c, a, b)
            p = oracles_rules.fisher_p_value_of_many(*table)
            assert p < 1e-300 or row["p_value"] == pytest.approx(p, rel=1e-7), table


def test_a_quantile_that_is_reached_exactly_counts(con: duckdb.DuckDBPyConnection) -> None:
    # P(X <= 0) = 99/100; P(X <= 1) = 297/300
    for n, a, c, quantile in [(100, 1, 1, 0), (25, 2, 3, 1), (1_000, 1, 10, 0), (1_000, 1, 11, 1)]:
        write_pairs(con, n, [(a, c, 1)])
        expected = 1 / quantile if quantile else math.inf
        assert {row["hyper_lift"] for row in ruled(con).values()} == {expected}, (n, a, c)


# --- scipy and mlxtend ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def medium_rules(shared: duckdb.DuckDBPyConnection) -> Rules:
    write(shared, medium_baskets())
    mine(shared, "min_support := 0.02, max_length := null", into="medium")
    rules = ruled(shared, "min_confidence := 0.1, max_consequents := 2", "medium")
    assert len(rules) > 500
    return rules


def tables(rules: Rules) -> Iterator[tuple[oracles.Row, list[list[int]]]]:
    """Each rule with its 2 x 2 table, by what each order holds."""
    baskets = medium_baskets().values()
    for (antecedents, consequents), row in rules.items():
        table = [[0, 0], [0, 0]]
        for held in baskets:
            table[not antecedents <= held][not consequents <= held] += 1
        yield row, table


def test_associations_and_intervals_are_those_of_scipy(medium_rules: Rules) -> None:
    for row, table in itertools.islice(tables(medium_rules), 0, None, 12):
        (both, without), _ = table
        expected = {
            "chi_square": stats.chi2_contingency(table, correction=False).statistic,
            "phi": np.corrcoef(*_indicators(table))[0, 1],
            "p_value": stats.fisher_exact(table, alternative="greater").pvalue,
        }
        ratio = stats.contingency.odds_ratio(np.array(table), kind="sample").statistic
        expected |= {
            "odds_ratio": ratio,
            "yules_q": 1 if ratio == math.inf else (ratio - 1) / (ratio + 1),
        }
        interval = stats.binomtest(both, both + without).proportion_ci(method="wilson")
        expected |= {"confidence_low": interval.low, "confidence_high": interval.high}
        for name, value in expected.items():
            assert row[name] == pytest.approx(float(value), rel=1e-8), (row, name)


def _indicators(table: list[list[int]]) -> npt.NDArray[np.float64]:
    """Of each order, whether it holds the antecedents, and the consequents."""
    held = [(1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)]
    return np.repeat(np.array(held).T, np.ravel(table), axis=1)


def families(rules: Rules) -> dict[tuple[int, int], list[oracles.Row]]:
    """The rules by the sizes of their sides."""
    by_sizes: dict[tuple[int, int], list[oracles.Row]] = defaultdict(list)
    for (antecedents, consequents), row in rules.items():
        by_sizes[len(antecedents), len(consequents)].append(row)
    return by_sizes


def test_adjusted_p_values_are_those_of_scipy_with_all_that_was_not_found(
    medium_rules: Rules,
) -> None:
    by_sizes = families(medium_rules)
    assert {(1, 1), (2, 1), (1, 2), (2, 2)} <= by_sizes.keys()
    n_items = len(set().union(*medium_baskets().values()))
    for (n_left, n_right), rows in by_sizes.items():
        n_tests = math.comb(n_items, n_left) * math.comb(n_items - n_left, n_right)
        assert {row["n_tests"] for row in rows} == {n_tests}
        found = np.array([row["p_value"] for row in rows])
        # what was not found may count for more ones than one can write down
        if n_tests < 1_000_000:
            padded = np.concatenate([found, np.ones(n_tests - len(found))])
            expected = stats.false_discovery_control(padded)[: len(found)]
            assert [row["p_value_bh"] for row in rows] == pytest.approx(expected, rel=1e-9)
        assert [row["p_value_bonferroni"] for row in rows] == pytest.approx(
            np.minimum(1, found * n_tests), rel=1e-9
        )


def test_rules_of_the_itemsets_of_mlxtend_are_those_of_mlxtend(
    con: duckdb.DuckDBPyConnection,
) -> None:
    baskets = medium_baskets()
    names = sorted(set().union(*baskets.values()))
    held = pd.DataFrame({name: [name in basket for basket in baskets.values()] for name in names})
    found = frequent_patterns.fpgrowth(held, min_support=0.02, use_colnames=True)
    columns = {
        "items": pa.array([sorted(items) for items in found["itemsets"]]),
        "support": pa.array(found["support"], pa.float64()),
        "support_count": pa.array(round(found["support"] * len(baskets)), pa.int64()),
    }
    con.register("incoming", pa.table(columns))
    con.execute("create table itemsets as from incoming")
    con.unregister("incoming")
    rules = ruled(con, "min_confidence := 0.3, max_consequents := null")
    theirs = frequent_patterns.association_rules(
        found, num_itemsets=len(baskets), metric="confidence", min_threshold=0.3
    )
    theirs = theirs.rename(columns=lambda name: name.replace(" ", "_"))
    assert len(rules) > 100
    assert set(rules) == set(zip(theirs["antecedents"], theirs["consequents"], strict=True))
    compared = set(theirs.columns) - {"antecedents", "consequents"}
    assert {"representativity", "leverage", "conviction", "zhangs_metric"} < compared
    assert {"jaccard", "certainty", "kulczynski", "lift"} < compared
    for row in theirs.to_dict("records"):
        ours = rules[row["antecedents"], row["consequents"]]
        # below it, they divide by what is above
        skipped = {"certainty"} if row["confidence"] < row["consequent_support"] else set()
        for name in compared - skipped:
            assert same(ours[name], row[name]), (row, name)


# --- which rules ---------------------------------------------------------------------------------

ITEMS = "abcdefgh"


def small_baskets() -> dict[int, set[str]]:
    """120 baskets of 8 items; some items are in few, and one in nearly all."""
    rng = random.Random(11)
    chances = [0.97, 0.6, 0.5, 0.4, 0.3, 0.25, 0.15, 0.1]
    baskets = {}
    for order in range(120):
        held = {item for item, chance in zip(ITEMS, chances, strict=True) if rng.random() < chance}
        baskets[order] = held | ({"c"} if "d" in held else {"a"})
    return baskets


@pytest.fixture(scope="module")
def small_counts(shared: duckdb.DuckDBPyConnection) -> dict[oracles.Itemset, int]:
    write(shared, small_baskets())
    return mine(shared, "min_count := 3, max_length := 4", into="small")


@pytest.fixture(scope="module")
def small_rules(
    shared: duckdb.DuckDBPyConnection, small_counts: dict[oracles.Itemset, int]
) -> Rules:
    rules = ruled(shared, EVERY_RULE, "small")
    assert_same_rules(rules, oracles_rules.association_rules(small_counts, 120))
    assert len(rules) > 400
    return rules


def some_options() -> st.SearchStrategy[dict[str, Any]]:
    """Any of the options that choose rules by what is on their sides."""
    some_items = st.lists(st.sampled_from(ITEMS), min_size=1, max_size=3, unique=True)
    sides = [f"{word}_{side}" for word in ("require", "forbid") for side in SIDES]
    return st.fixed_dictionaries(
        {},
        optional={name: st.none() | some_items for name in sides}
        | {f"min_{side}": st.integers(1, 3) for side in SIDES}
        | {f"max_{side}": st.none() | st.integers(1, 3) for side in SIDES},
    )


SIDES = ("antecedents", "consequents")


def fits(options: Mapping[str, Any], row: oracles.Row) -> bool:
    """Whether a rule is one that is asked for."""
    for side in SIDES:
        items = set(row[side])
        required, forbidden, longest = (
            options.get(f"{word}_{side}") for word in ("require", "forbid", "max")
        )
        if not options.get(f"min_{side}", 1) <= len(items) <= (longest or len(items)):
            return False
        if (required is not None and not items & set(required)) or items & set(forbidden or ()):
            return False
    return True


def assert_chosen(
    con: duckdb.DuckDBPyConnection,
    counts: Mapping[oracles.Itemset, int],
    rules: Rules,
    options: Mapping[str, Any],
) -> Rules:
    """The options leave the rules that fit as they are; only how many were tried is another."""
    got = ruled(con, f"min_confidence := 0, {written(options)}", "small")
    kept = {rule: row for rule, row in rules.items() if fits(options, row)}
    assert list(got) == list(kept)
    for rule, row in kept.items():
        for name in row.keys() - ADJUSTED - {"rule_id"}:
            assert got[rule][name] == row[name], (rule, name)
    expected = oracles_rules.association_rules(counts, 120, **options)
    assert_same_rules(got, expected)
    return got


@pytest.mark.parametrize(
    "options",
    [
        {"require_antecedents": ["h"]},
        {"require_consequents": ["b", "g"]},
        {"forbid_antecedents": ["a"]},
        {"forbid_consequents": ["a", "c"]},
        {"min_antecedents": 2},
        {"min_consequents": 2},
        {"max_antecedents": 2},
        {"max_consequents": 2},
        {"min_antecedents": 2, "max_antecedents": 2, "max_consequents": 1},
        {"require_antecedents": ["a", "b"], "forbid_antecedents": ["b", "c"]},
        {"require_consequents": ["h"], "forbid_antecedents": ["a"], "min_antecedents": 2},
        {"forbid_antecedents": list("bcdefgh"), "forbid_consequents": ["a"]},
        {"require_antecedents": ["a", "b"], "require_consequents": ["a", "c"]},
    ],
    ids=written,
)
def test_an_option_leaves_the_rules_that_fit(
    shared: duckdb.DuckDBPyConnection,
    small_counts: dict[oracles.Itemset, int],
    small_rules: Rules,
    options: dict[str, Any],
) -> None:
    options = {"max_consequents": None} | options
    got = assert_chosen(shared, small_counts, small_rules, options)
    assert 0 < len(got) < len(small_rules)


@settings(every_small_shop, max_examples=12)
@given(options=some_options())
def test_any_options_together_leave_the_rules_that_fit(
    shared: duckdb.DuckDBPyConnection,
    small_counts: dict[oracles.Itemset, int],
    small_rules: Rules,
    options: dict[str, Any],
) -> None:
    options = {"max_consequents": None} | options
    assert_chosen(shared, small_counts, small_rules, options)


@pytest.mark.parametrize(
    "options",
    [
        {"require_consequents": ["h"], "forbid_consequents": ["h"]},
        {"forbid_antecedents": list(ITEMS)},
        {"min_antecedents": 4},
    ],
    ids=written,
)
def test_a_side_that_may_hold_nothing_makes_no_rule(
    shared: duckdb.DuckDBPyConnection, small_rules: Rules, options: dict[str, Any]
) -> None:
    assert small_rules
    assert ruled(shared, f"{EVERY_RULE}, {written(options)}", "small") == {}


def test_fewer_hypotheses_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    baskets = small_baskets()
    write(con, baskets)
    counts = mine(con, "min_count := 3, max_length := 3")
    assert sum(len(items) == 1 for items in counts) == 8

    def n_tests(**options: Any) -> dict[tuple[int, int], int]:
        rules = ruled(con, ", ".join(["min_confidence := 0", *filter(None, [written(options)])]))
        return {sizes: rows[0]["n_tests"] for sizes, rows in families(rules).items()}

    # 8 items, then 7; C(8, 2) pairs, then 6
    assert n_tests() == {(1, 1): 56, (2, 1): 28 * 6}
    # one consequent that is asked for
    assert n_tests(require_consequents=["c"]) == {(1, 1): 8, (2, 1): 28}
    # and it is no antecedent: C(7, 2)
    assert n_tests(require_consequents=["c"], forbid_antecedents=["c"]) == {(1, 1): 7, (2, 1): 21}
    # pairs that hold a or b: 28 less C(6, 2)
    assert n_tests(require_antecedents=["a", "b"]) == {(1, 1): 2 * 8, (2, 1): 13 * 8}


MEASURES = (
    "support", "confidence", "confidence_low", "lift", "leverage", "conviction", "zhangs_metric",
    "jaccard", "cosine", "kulczynski", "all_confidence", "added_value", "certainty", "imbalance",
    "phi", "chi_square", "odds_ratio", "yules_q", "hyper_lift", "improvement",
    "p_value", "p_value_bh", "p_value_bonferroni",
)  # fmt: skip


@pytest.mark.parametrize("measure", MEASURES)
def test_the_top_rules_are_the_first_of_all_when_sorted(
    shared: duckdb.DuckDBPyConnection, small_rules: Rules, measure: str
) -> None:
    options = f"{EVERY_RULE}, top := 40, measure := '{measure}'"
    got = ruled(shared, options, "small")
    expected = dict(itertools.islice(in_order(small_rules, measure).items(), 40))
    assert list(got) == list(expected)
    for rule, row in expected.items():
        # adjusted as if all of them were shown
        assert got[rule] | {"rule_id": 0} == row | {"rule_id": 0}


def test_the_top_rules_are_those_among_the_rules_that_fit(
    shared: duckdb.DuckDBPyConnection, small_rules: Rules
) -> None:
    chosen = "min_confidence := 0.3, require_consequents := ['b'], max_consequents := 2"
    rules = ruled(shared, chosen, "small")
    assert 20 < len(rules) < len(small_rules)
    for top in (1, 7, len(rules), 10_000):
        got = ruled(shared, f"{chosen}, top := {top}, measure := 'p_value_bh'", "small")
        ranked = in_order(rules, "p_value_bh")
        assert list(got) == list(ranked)[:top]
        assert all(got[rule]["p_value_bh"] == rules[rule]["p_value_bh"] for rule in got)
    # by lift where no measure is named, as without top
    assert list(ruled(shared, f"{chosen}, top := 7", "small")) == list(rules)[:7]


def test_unknown_measures_are_last(con: duckdb.DuckDBPyConnection) -> None:
    # all orders hold a: whether an order does says nothing, and phi divides by no orders
    baskets = ["ab", "abc", "a", "ac", "abcd", "ad"]
    write(con, {order: set(held) for order, held in enumerate(baskets)})
    mine(con, "min_count := 1, max_length := 2")
    rules = ruled(con, "min_confidence := 0, top := 99, measure := 'phi'")
    phis = [row["phi"] for row in rules.values()]
    known = [phi for phi in phis if phi is not None]
    assert 0 < len(known) < len(phis)
    assert phis == [*sorted(known, reverse=True), *[None] * (len(phis) - len(known))]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            "require_consequents := ['zork']",
            "require_consequents must hold items of the itemsets, got zork",
        ),
        (
            "require_antecedents := ['a', 'zork']",
            "require_antecedents must hold items of the itemsets, got zork",
        ),
        ("min_confidence := null", r"min_confidence must be in \[0, 1\], got NULL"),
        ("top := 3, measure := 'zork'", "measure must be one of .*zork"),
    ],
)
def test_options_that_cannot_be_are_refused_in_words(
    shared: duckdb.DuckDBPyConnection,
    small_counts: dict[oracles.Itemset, int],
    options: str,
    message: str,
) -> None:
    assert frozenset("a") in small_counts
    with pytest.raises(duckdb.InvalidInputException, match=message):
        ruled(shared, options, "small")


def test_an_item_that_is_nowhere_may_be_forbidden(
    shared: duckdb.DuckDBPyConnection, small_rules: Rules
) -> None:
    got = ruled(shared, f"{EVERY_RULE}, forbid_antecedents := ['zork']", "small")
    assert list(got) == list(small_rules)


# --- planted truth -------------------------------------------------------------------------------

Held = npt.NDArray[np.bool_]
PLANTED = [(20 + 2 * i, 21 + 2 * i) for i in range(15)]
BOTH_WAYS = {*PLANTED, *((end, start) for start, end in PLANTED)}


def noise_shop(seed: int, n_items: int, top: float, offset: int) -> Held:
    """5,000 orders of items that have nothing to do with each other; few are popular."""
    popularity = top * (1 + offset) / (np.arange(n_items) + 1 + offset)
    held: Held = np.random.default_rng(seed).random((5_000, n_items)) < popularity
    return held


def plant(held: Held, seed: int) -> Held:
    """The second of each pair goes into half of the orders that hold the first."""
    rng, held = np.random.default_rng(seed + 1_000_000), held.copy()
    for start, end in PLANTED:
        held[:, end] |= held[:, start] & (rng.random(len(held)) < 0.5)
    return held


def rules_of_shop(con: duckdb.DuckDBPyConnection, held: Held, max_length: int) -> list[Any]:
    """Antecedents, consequents and p values of what is bought together at least 10 times."""
    orders, items = np.nonzero(held)
    con.register("incoming", pa.table({"order_id": orders, "product_id": items}))
    con.execute("create or replace table lines as from incoming")
    con.unregister("incoming")
    mine(con, f"min_count := 10, max_length := {max_length}")
    return con.execute(
        "select antecedents, consequents, p_value, p_value_bh, improvement_p_value * n_tests "
        "from custseg.association_rules('itemsets', min_confidence := 0) order by rule_id"
    ).fetchall()


def test_planted_pairs_are_found_and_few_others_are(shared: duckdb.DuckDBPyConnection) -> None:
    n_found = n_false = n_found_naively = n_false_naively = 0
    for seed in range(5):
        held = plant(noise_shop(seed, 150, 0.05, 30), seed)
        rows = rules_of_shop(shared, held, max_length=2)
        rules = [(antecedent, consequent) for (antecedent,), (consequent,), *_ in rows]
        found = {rule for rule, row in zip(rules, rows, strict=True) if row[3] <= 0.05}
        assert found >= BOTH_WAYS
        n_found, n_false = n_found + len(found), n_false + len(found - BOTH_WAYS)
        # as if nothing had been tried but what is frequent
        naive = stats.false_discovery_control([row[2] for row in rows]) <= 0.05
        naively = {rule for rule, is_found in zip(rules, naive, strict=True) if is_found}
        n_found_naively += len(naively)
        n_false_naively += len(naively - BOTH_WAYS)
    assert n_false <= 0.05 * n_found
    assert n_false_naively > 0.1 * n_found_naively


def test_in_noise_next_to_nothing_is_found(shared: duckdb.DuckDBPyConnection) -> None:
    n_shops_with_any = n_naively = 0
    for seed in range(100, 104):
        rows = rules_of_shop(shared, noise_shop(seed, 150, 0.05, 30), max_length=2)
        n_shops_with_any += any(p_value_bh <= 0.05 for *_, p_value_bh, _ in rows)
        n_naively += sum(p_value <= 0.05 for _, _, p_value, *_ in rows)
    assert n_shops_with_any <= 1
    assert n_naively > 40


def test_a_planted_pair_with_any_third_item_is_no_finding(
    shared: duckdb.DuckDBPyConnection,
) -> None:
    held = plant(noise_shop(7, 60, 0.3, 10), 7)
    # only both 0 and 1 lead to 19
    both = held[:, 0] & held[:, 1]
    held[:, 19] |= both & (np.random.default_rng(7).random(len(held)) < 0.5)
    rows = rules_of_shop(shared, held, max_length=3)
    n_padded = n_significant = n_productive = 0
    for antecedents, (consequent,), _, p_value_bh, adjusted_improvement in rows:
        if len(antecedents) == 2 and any((a, consequent) in BOTH_WAYS for a in antecedents):
            n_padded += 1
            n_significant += p_value_bh <= 0.05
            n_productive += adjusted_improvement <= 0.05
        if antecedents == [0, 1] and consequent == 19:
            assert adjusted_improvement <= 0.05
    assert n_padded > 500
    assert n_significant > 0.5 * n_padded
    assert n_productive <= 0.05 * n_padded
    assert [0, 1] in [antecedents for antecedents, consequents, *_ in rows if consequents == [19]]
