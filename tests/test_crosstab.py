"""Segments against the user's own columns: by scipy, in plain Python, and worked by hand."""

import datetime
import math
import re
from collections import Counter
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import test_hazards
from scipy.stats import chi2, chi2_contingency

import custseg_duck
from custseg_duck import catalog
from tests.conftest import seeds

Row = dict[str, Any]

FILES = (
    "attribute_values", "attribute_counts", "expected_counts", "segment_crosstab",
    "segment_association",
)  # fmt: skip
CTES = sorted(
    set().union(*(test_hazards.ctes_of(catalog.statement(f"insight/{file}")) for file in FILES))
)
CROSSTAB = "custseg.segment_crosstab('segments', 'attributes')"
ASSOCIATION = "custseg.segment_association('segments', 'attributes')"


@pytest.fixture(scope="module")
def shared() -> Iterator[duckdb.DuckDBPyConnection]:
    """One database for all, as the tests are many."""
    with custseg_duck.connect() as connection:
        yield connection


@pytest.fixture
def con(shared: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database without tables of the tests before."""
    yield shared
    shared.execute("drop table if exists segments; drop table if exists attributes")


def rows(con: duckdb.DuckDBPyConnection, call: str) -> list[Row]:
    found = con.sql(f"from {call}")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def calls(n_bins: int, max_values: int) -> tuple[str, str]:
    options = f"n_bins := {n_bins}, max_values := {max_values})"
    return f"{CROSSTAB[:-1]}, {options}", f"{ASSOCIATION[:-1]}, {options}"


def store(con: duckdb.DuckDBPyConnection, segments: list[Any], /, **columns: Any) -> None:
    """The tables segments and attributes of as many customers; None is NULL."""
    ids = list(range(len(segments)))
    con.register("given_segments", pa.table({"customer_id": ids, "segment": segments}))
    con.register("given_attributes", pa.table({"customer_id": ids, **columns}))
    con.execute("create or replace table segments as from given_segments")
    con.execute("create or replace table attributes as from given_attributes")


def store_counts(con: duckdb.DuckDBPyConnection, counts: list[list[int]]) -> None:
    """Of value i in segment j as many customers as counts[i][j]; the column is called kind."""
    cells = [
        (f"value {i}", j)
        for i, of_value in enumerate(counts)
        for j, n in enumerate(of_value)
        for _ in range(n)
    ]
    store(con, [j for _, j in cells], kind=[value for value, _ in cells])


def association(con: duckdb.DuckDBPyConnection) -> Row:
    (row,) = rows(con, ASSOCIATION)
    return row


# --- the tail of chi-square ----------------------------------------------------------------------


def tails(con: duckdb.DuckDBPyConnection, values: Any, degrees: Any) -> Any:
    con.register("given_tails", pa.table({"x": values, "degrees": degrees}))
    found = con.execute("select custseg.chi_square_tail(x, degrees) from given_tails").fetchall()
    return np.array([tail for (tail,) in found])


def test_the_tail_is_that_of_scipy_for_many_degrees(con: duckdb.DuckDBPyConnection) -> None:
    shares = [1 - 1e-12, 0.999, 0.9, 0.5, 0.1, 1e-3, 1e-5, 1e-10, 1e-30, 1e-100, 1e-200, 1e-299]
    degrees, shares_of = (x.ravel() for x in np.meshgrid(np.arange(1, 501), shares))
    values = chi2.isf(shares_of, degrees)
    np.testing.assert_allclose(tails(con, values, degrees), chi2.sf(values, degrees), rtol=1e-10)


def test_the_tail_is_that_of_scipy_for_any_values(con: duckdb.DuckDBPyConnection) -> None:
    rng = np.random.default_rng(0)
    values, degrees = rng.uniform(0, 2000, 20_000), rng.integers(1, 501, 20_000)
    expected = chi2.sf(values, degrees)
    found = tails(con, values, degrees)
    large = expected > 1e-300
    np.testing.assert_allclose(found[large], expected[large], rtol=1e-10)
    assert 1000 < large.sum() < len(large)
    assert ((found[~large] >= 0) & (found[~large] < 1.1e-300)).all()
    assert (np.concatenate([found, tails(con, [1e-12] * 500, range(1, 501))]) <= 1).all()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        # by hand: exp(-x / 2) for 2 degrees, exp(-x / 2) (1 + x / 2) for 4
        ("3, 2", math.exp(-1.5)),
        ("3, 4", math.exp(-1.5) * 2.5),
        ("3, 1", math.erfc(math.sqrt(1.5))),
        ("0, 3", 1),
        ("0, 4", 1),
        ("-5, 4", 1),
        ("1e9, 7", 0),
        ("'inf'::double, 7", 0),
        ("'-inf'::double, 7", 1),
        ("null, 3", None),
        ("3, null", None),
        ("null, null", None),
        ("3, 2.0::double", math.exp(-1.5)),
        ("3::decimal(9, 2), 2::utinyint", math.exp(-1.5)),
    ],
)
def test_tails_by_hand(
    con: duckdb.DuckDBPyConnection, arguments: str, expected: float | None
) -> None:
    ((found,),) = con.execute(f"select custseg.chi_square_tail({arguments})").fetchall()
    assert found == (expected if expected is None else pytest.approx(expected, rel=1e-12))


def test_the_tail_of_no_number_is_none(con: duckdb.DuckDBPyConnection) -> None:
    ((found,),) = con.execute("select custseg.chi_square_tail('nan'::double, 2)").fetchall()
    assert math.isnan(found)


@pytest.mark.parametrize("degrees", [0, -1, 2.5, 0.5])
def test_degrees_are_whole(con: duckdb.DuckDBPyConnection, degrees: float) -> None:
    message = rf"degrees must be a whole number of at least 1, got {float(degrees)}"
    with pytest.raises(duckdb.InvalidInputException, match=message):
        con.execute(f"select custseg.chi_square_tail(3, {degrees})").fetchall()


# --- worked by hand ------------------------------------------------------------------------------


def test_worked_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    store_counts(con, [[10, 20], [30, 40]])
    # of 100: segments of 40 and 60, values of 30 and 70. Expected 40 * 30 / 100 = 12, 18, 28, 42.
    # All differ by 2: variances 12 * 0.6 * 0.7 = 5.04 in all four cells, 18 * 0.4 * 0.7, ...
    residual = 2 / math.sqrt(5.04)
    expected = [
        ("value 0", 1, 0, 10, 10 / 40, 0.3, 12, -residual),
        ("value 0", 1, 1, 20, 20 / 60, 0.3, 18, residual),
        ("value 1", 2, 0, 30, 30 / 40, 0.7, 28, residual),
        ("value 1", 2, 1, 40, 40 / 60, 0.7, 42, -residual),
    ]
    for row, (value, rank, segment, n, *numbers) in zip(rows(con, CROSSTAB), expected, strict=True):
        assert row.pop("attribute") == "kind"
        found = list(row.values())
        assert found[:4] == [value, rank, segment, n]
        assert found[4:] == pytest.approx(numbers, rel=1e-13)
    # 4 / 12 + 4 / 18 + 4 / 28 + 4 / 42 = 50 / 63, of 1 degree; 50 / 6300 < 1 / 99 is but chance
    assert association(con) == {
        "attribute": "kind", "n_customers": 100, "n_values": 2, "n_segments": 2,
        "chi_square": pytest.approx(50 / 63, rel=1e-13), "degrees": 1,
        "p_value": pytest.approx(math.erfc(math.sqrt(25 / 63)), rel=1e-12),
        "cramers_v": pytest.approx(math.sqrt(50 / 6300), rel=1e-13), "cramers_v_corrected": 0,
        "effect": "none", "smallest_expected": 12, "few_share": 0, "is_reliable": True,
        "p_value_bonferroni": pytest.approx(math.erfc(math.sqrt(25 / 63)), rel=1e-12),
        "left_out": None,
    }  # fmt: skip


def test_who_decides_the_segment_is_found(con: duckdb.DuckDBPyConnection) -> None:
    store_counts(con, [[7, 0, 0], [0, 5, 0], [0, 0, 9]])
    found = association(con)
    assert found["chi_square"] == pytest.approx(21 * 2, rel=1e-13)  # n * (k - 1)
    assert found["degrees"] == 4
    assert found["cramers_v"] == pytest.approx(1, rel=1e-13)
    assert found["cramers_v_corrected"] == pytest.approx(1, rel=1e-13)
    assert max(found["cramers_v"], found["cramers_v_corrected"]) <= 1
    assert found["effect"] == "large"
    # 5 * 5 / 21 is the smallest, and not even 9 * 9 / 21 reaches 5
    assert found["smallest_expected"] == pytest.approx(25 / 21)
    assert found["few_share"] == 1
    assert found["is_reliable"] is False


@pytest.mark.parametrize(
    ("more", "effect"), [(9, "none"), (12, "small"), (29, "small"), (31, "medium"), (51, "large")]
)
def test_effects_of_two_by_two_are_those_of_cohen(
    con: duckdb.DuckDBPyConnection, more: int, effect: str
) -> None:
    # halves of 10000: V = w = more / 100, and the correction is some 1 / 10000 of w^2
    n, m = 2500, 25 * more
    store_counts(con, [[n + m, n - m], [n - m, n + m]])
    found = association(con)
    assert found["cramers_v"] == pytest.approx(more / 100, rel=1e-12)
    assert found["cramers_v_corrected"] == pytest.approx(more / 100, rel=0.01)
    assert found["effect"] == effect


def test_an_effect_is_of_w_where_there_are_more_values(con: duckdb.DuckDBPyConnection) -> None:
    # V = 0.08 in a table of 4 by 4: w = 0.08 * sqrt(3) = 0.139 is small, though V is below 0.1
    n, m = 10_000, 800
    store_counts(con, [[n + 3 * m if i == j else n - m for j in range(4)] for i in range(4)])
    found = association(con)
    assert found["cramers_v"] == pytest.approx(0.08, rel=1e-12)
    assert found["effect"] == "small"


def test_few_expected_are_less_reliable(con: duckdb.DuckDBPyConnection) -> None:
    # values of 30, 30, 30, 9; segments of 49, 50: of 8 cells two with 4.45 and 4.55, so 0.25
    store_counts(con, [[15, 15], [15, 15], [15, 15], [4, 5]])
    assert (association(con)["few_share"], association(con)["is_reliable"]) == (0.25, False)
    # two of ten are few, and that is still good
    store_counts(con, [[15, 15], [15, 15], [15, 15], [15, 15], [4, 5]])
    assert (association(con)["few_share"], association(con)["is_reliable"]) == (0.2, True)
    # two of twelve, but with one customer half a one is expected
    store_counts(con, [[15, 15], [15, 15], [15, 15], [15, 15], [15, 15], [0, 1]])
    found = association(con)
    assert found["few_share"] == pytest.approx(2 / 12)
    assert found["smallest_expected"] == pytest.approx(75 / 151)
    assert found["is_reliable"] is False


# --- oracle --------------------------------------------------------------------------------------


def short(number: float) -> str:
    if 1000 <= abs(number) < 1e15:
        return str(Decimal(number).quantize(Decimal(1), ROUND_HALF_UP))
    return f"{number:.4g}"


def oracle_values(known: dict[int, Any], n_bins: int) -> dict[int, tuple[Any, str]]:
    """Of each customer whose value is known what to sort by, and the label."""
    values = list(known.values())
    if isinstance(values[0], bool):
        return {i: (str(x).lower(),) * 2 for i, x in known.items()}
    if not isinstance(values[0], int | float | Decimal):
        return {i: (str(x),) * 2 for i, x in known.items()}
    counts = Counter(map(float, values))
    in_order = sorted(map(float, values))
    bin_of = {}
    for x in counts:
        places = [place for place, other in enumerate(in_order) if other == x]
        middle = Fraction(places[0] + places[-1] + 1, 2 * len(in_order))
        bin_of[x] = math.floor(middle * n_bins) if len(counts) > 2 * n_bins else x
    ends = {}
    for number in set(bin_of.values()):
        within = [x for x in counts if bin_of[x] == number]
        ends[number] = sorted({min(within), max(within)})
    every_end = {end for pair in ends.values() for end in pair}
    write = short if len(set(map(short, every_end))) == len(every_end) else repr
    labels = {number: " to ".join(map(write, pair)) for number, pair in ends.items()}
    return {i: (bin_of[float(x)], labels[bin_of[float(x)]]) for i, x in known.items()}


def oracle(
    segments: dict[int, Any], columns: dict[str, dict[int, Any]], n_bins: int, max_values: int
) -> tuple[list[Row], dict[str, Row]]:
    cells: list[Row] = []
    tests: dict[str, Row] = {}
    names = sorted(set(segments.values()))
    for attribute in sorted(columns):
        known = {
            i: x
            for i, x in columns[attribute].items()
            if i in segments and x is not None and not (isinstance(x, float) and math.isnan(x))
        }
        if not known:
            tests[attribute] = {"n_customers": 0, "left_out": "no value is known"}
            continue
        is_text = isinstance(next(iter(known.values())), str | bool | datetime.date)
        if is_text and (n := len(set(known.values()))) > max_values:
            why = f"{n} values are more than max_values = {max_values}"
            tests[attribute] = {"n_customers": len(known), "left_out": why}
            continue
        value_of = oracle_values(known, n_bins)
        values = sorted(set(value_of.values()))
        table = np.array(
            [
                [sum(value_of[i] == v and segments[i] == s for i in known) for s in names]
                for v in values
            ]
        )
        n = table.sum()
        for r, (_, value) in enumerate(values):
            for c, segment in enumerate(names):
                in_segment, with_value = table[:, c].sum(), table[r].sum()
                expected = in_segment * with_value / n
                variance = expected * (1 - in_segment / n) * (1 - with_value / n)
                cells.append({
                    "attribute": attribute, "value": value, "value_rank": r + 1,
                    "segment": segment, "n_customers": table[r, c],
                    "segment_share": table[r, c] / in_segment if in_segment else None,
                    "population_share": with_value / n, "expected": expected,
                    "residual": (table[r, c] - expected) / math.sqrt(variance)
                    if variance > 1e-12 else None,
                })  # fmt: skip
        tests[attribute] = oracle_test(table[:, table.sum(axis=0) > 0])
    n_tests = sum(test.get("p_value") is not None for test in tests.values())
    for test in tests.values():
        if test.get("p_value") is not None:
            test["p_value_bonferroni"] = min(1.0, test["p_value"] * n_tests)
    return cells, tests


def oracle_test(table: Any) -> Row:
    n, (r, c) = table.sum(), table.shape
    test: Row = {"n_customers": n, "n_values": r, "n_segments": c, "degrees": (r - 1) * (c - 1)}
    if min(r, c) == 1:
        return test
    result = chi2_contingency(table, correction=False)
    assert result.dof == test["degrees"]
    few = (result.expected_freq < 5).mean()
    smallest = result.expected_freq.min()
    test |= {
        "chi_square": result.statistic,
        "p_value": result.pvalue,
        "cramers_v": math.sqrt(result.statistic / n / (min(r, c) - 1)),
        "smallest_expected": smallest,
        "few_share": few,
        "is_reliable": smallest >= 1 and few <= 0.2,
    }
    phi = max(0, result.statistic / n - (r - 1) * (c - 1) / (n - 1))
    rows_corrected, columns_corrected = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    room = min(rows_corrected, columns_corrected) - 1
    if room > 1e-12:
        test["cramers_v_corrected"] = math.sqrt(phi / room)
        w = test["cramers_v_corrected"] * math.sqrt(min(r, c) - 1)
        test["effect"] = {effect_of(w - 1e-12), effect_of(w + 1e-12)}  # either at a bound
    return test


def effect_of(w: float) -> str:
    """Cohen's word for his w."""
    bounds = (("large", 0.5), ("medium", 0.3), ("small", 0.1))
    return next((name for name, least in bounds if w >= least), "none")


def random_customers(seed: int) -> tuple[list[int | None], dict[str, pa.Array]]:
    """Segments and columns of many types, some of which have to do with the segments."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 400))
    segments = [None if rng.random() < 0.1 else int(rng.integers(0, 4)) for _ in range(n)]
    tie = segments if seed % 3 else [0] * n
    strength = rng.random() * 3

    def normal(i: int) -> float:
        return float((tie[i] or 0) * strength + rng.normal())

    values: dict[str, tuple[pa.DataType, list[Any]]] = {
        "ages": (pa.int32(), [int(40 + 8 * normal(i)) for i in range(n)]),
        "spending": (pa.float64(), [round(math.exp(normal(i)) * 300, 2) for i in range(n)]),
        "visits": (pa.int64(), [max(0, int(3 * normal(i) - 5)) for i in range(n)]),
        "rating": (pa.float32(), [float(round(normal(i))) for i in range(n)]),
        "price": (pa.decimal128(8, 2), [Decimal(int(normal(i) * 20)) / 4 for i in range(n)]),
        "region": (pa.string(), [f"region {int(3 * normal(i)) % 5}" for i in range(n)]),
        "city": (pa.string(), [f"city {rng.integers(0, 30)}" for _ in range(n)]),
        "is_member": (pa.bool_(), [normal(i) > 1 for i in range(n)]),
        "joined": (
            pa.date32(),
            [datetime.date(2024, 1 + int(rng.integers(0, 8)), 1) for _ in range(n)],
        ),
        "alike": (pa.string(), ["x"] * n),
        "unknown": (pa.int32(), [None] * n),
    }
    missing = rng.random() * 0.4
    return segments, {
        name: pa.array([None if rng.random() < missing else x for x in column], kind)
        for name, (kind, column) in values.items()
    }


@pytest.mark.parametrize("seed", seeds(40))
def test_all_is_as_in_plain_python_and_scipy(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    segments, columns = random_customers(seed)
    store(con, segments, **columns)
    # some customers are in one of the two only
    con.execute("delete from segments where customer_id % 17 = 3")
    con.execute("delete from attributes where customer_id % 13 = 5")
    n_bins, max_values = (5, 50) if seed % 2 else (3, 12)
    cells, tests = oracle(
        dict(con.execute("from segments where segment is not null").fetchall()),
        {
            name: {i: x for i, x in enumerate(column.to_pylist()) if i % 13 != 5}
            for name, column in columns.items()
        },
        n_bins,
        max_values,
    )
    crosstab, by_attribute = (rows(con, call) for call in calls(n_bins, max_values))
    assert len(crosstab) == len(cells)
    for found, expected in zip(crosstab, cells, strict=True):
        for name, value in expected.items():
            is_float = isinstance(value, float)
            near = pytest.approx(value, rel=1e-9, abs=1e-12) if is_float else value
            assert found[name] == near, (found, name)
    assert {row["attribute"] for row in by_attribute} == set(tests)
    for row in by_attribute:
        test = tests[row.pop("attribute")]
        for name, value in row.items():
            expected = test.get(name)
            if name == "cramers_v_corrected" and expected is not None:
                assert value**2 == pytest.approx(expected**2, rel=1e-9, abs=1e-12)
            elif name == "effect" and expected is not None:
                assert value in expected
            elif isinstance(expected, float):
                assert value == pytest.approx(expected, rel=1e-9, abs=1e-300), name
            else:
                assert value == expected, name
    strengths = [
        (-(row["cramers_v_corrected"] or 0), row["cramers_v_corrected"] is None)
        for row in by_attribute
    ]
    assert [undefined for _, undefined in strengths] == sorted(u for _, u in strengths)
    assert [v for v, undefined in strengths if not undefined] == sorted(
        v for v, undefined in strengths if not undefined
    )


def test_the_oracle_sees_all_kinds(con: duckdb.DuckDBPyConnection) -> None:
    effects, reasons, binned = set(), set(), 0
    for seed in range(30):
        segments, columns = random_customers(seed)
        store(con, segments, **columns)
        found = rows(con, calls(5, 12)[1])
        effects |= {row["effect"] for row in found}
        reasons |= {re.sub(r"\d+", "", row["left_out"] or "") for row in found}
        binned += any(" to " in row["value"] for row in rows(con, calls(5, 12)[0]))
    assert effects == {"none", "small", "medium", "large", None}
    assert len(reasons) == 3
    assert binned > 20


def test_shares_sum_to_one_and_residuals_to_none(con: duckdb.DuckDBPyConnection) -> None:
    segments, columns = random_customers(7)
    store(con, segments, **columns)
    assert con.execute(
        "select distinct round(sum(segment_share), 9), round(sum(n_customers - expected), 9) + 0.0 "
        f"from {CROSSTAB} where segment_share is not null group by attribute, segment"
    ).fetchall() == [(1.0, 0.0)]


# --- values and bins -----------------------------------------------------------------------------


def labels(con: duckdb.DuckDBPyConnection, values: Any, n_bins: int = 5) -> list[tuple[str, int]]:
    """The values of the column in their order, each with its number of customers."""
    store(con, [0] * len(values), amount=values)
    found = rows(con, calls(n_bins, 50)[0])
    assert [row["value_rank"] for row in found] == list(range(1, len(found) + 1))
    return [(row["value"], row["n_customers"]) for row in found]


def test_few_numbers_are_values_in_the_order_of_numbers(con: duckdb.DuckDBPyConnection) -> None:
    assert labels(con, [10, 9, -2, 10, 0, None]) == [("-2", 1), ("0", 1), ("9", 1), ("10", 2)]
    assert labels(con, [0.5, 1e-7, 2500000.4]) == [("1e-07", 1), ("0.5", 1), ("2500000", 1)]
    assert len(labels(con, list(range(10)))) == 10
    assert len(labels(con, list(range(11)))) == 5
    assert len(labels(con, list(range(7)), n_bins=3)) == 3


def test_bins_are_of_one_size(con: duckdb.DuckDBPyConnection) -> None:
    # by hand: 20 values, 4 customers a bin
    found = labels(con, [*range(1, 20), 1000])
    assert [label for label, _ in found] == [
        "1 to 4",
        "5 to 8",
        "9 to 12",
        "13 to 16",
        "17 to 1000",
    ]
    assert {n for _, n in found} == {4}


def test_equal_values_are_in_one_bin(con: duckdb.DuckDBPyConnection) -> None:
    # by hand, of 100 in 5 bins of 20: the 90 zeros have their middle at 45, in the third bin; the
    # others are in the last one
    assert labels(con, [0] * 90 + list(range(1, 11))) == [("0", 90), ("1 to 10", 10)]
    # at the other end as well: the middle of the 90 is at 55, the others are in the first bin
    assert labels(con, [99] * 90 + list(range(1, 11))) == [("1 to 10", 10), ("99", 90)]
    # 40 zeros have theirs at 20, where the second bin begins; then come 60 ones to sixties
    assert labels(con, [0] * 40 + list(range(1, 61))) == [
        ("0", 40), ("1 to 20", 20), ("21 to 40", 20), ("41 to 60", 20),
    ]  # fmt: skip


def test_ends_that_four_digits_do_not_tell_apart_have_more(con: duckdb.DuckDBPyConnection) -> None:
    numbers = [1 + i / 2**20 for i in range(12)]
    found = [label for label, _ in labels(con, numbers, n_bins=3)]
    assert found == [f"{numbers[i]} to {numbers[i + 3]}" for i in (0, 4, 8)]
    assert [label for label, _ in labels(con, [1e9, 1e9 + 0.25])] == [
        "1000000000.0",
        "1000000000.25",
    ]


def test_numbers_that_are_none_and_infinite_ones(con: duckdb.DuckDBPyConnection) -> None:
    store(con, [0] * 15, amount=[float(i) for i in range(15)])
    con.execute("update attributes set amount = 'nan'::double where customer_id = 0")
    con.execute("update attributes set amount = 'inf'::double - 'inf'::double where amount = 1")
    con.execute("update attributes set amount = '-inf' where amount = 2")
    con.execute("update attributes set amount = 'inf' where amount = 14")
    found = rows(con, calls(3, 50)[0])
    assert [row["value"] for row in found] == ["-inf to 5", "6 to 10", "11 to inf"]
    assert sum(row["n_customers"] for row in found) == 13
    assert association(con)["n_customers"] == 13


def test_zero_has_one_sign(con: duckdb.DuckDBPyConnection) -> None:
    assert labels(con, [0.0, -0.0, -0.0, 1.5]) == [("0", 3), ("1.5", 1)]


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("varchar", ["b", "", "a'\"", "B", "{}"], ["", "B", "a'\"", "b", "{}"]),
        ("date", ["2024-02-01", "1999-12-31"], ["1999-12-31", "2024-02-01"]),
        ("timestamp", ["2024-02-01 10:00:00"], ["2024-02-01 10:00:00"]),
        ("boolean", ["true", "false"], ["false", "true"]),
        ("blob", ["ab", "\\x00"], ["\\x00", "ab"]),
        (
            "uuid",
            ["00000000-0000-0000-0000-000000000001"],
            ["00000000-0000-0000-0000-000000000001"],
        ),
        ("enum('young', 'old')", ["young", "old"], ["old", "young"]),
        ("integer[]", ["[1, NULL]", "[]"], ["[1, NULL]", "[]"]),
        ("map(varchar, integer)", ["{a=1}"], ["{a=1}"]),
        ("struct(a integer)", ["{'a': 1}"], ["{'a': 1}"]),
        ("interval", ["1 day"], ["1 day"]),
        ("hugeint", ["170141183460469231731687303715884105727", "-1"], ["-1", "1.701e+38"]),
        ("decimal(38, 2)", ["12.50", "7.00"], ["7", "12.5"]),
        ("utinyint", ["255", "0"], ["0", "255"]),
        ("float", ["0.1", "1e30"], ["0.1", "1e+30"]),
    ],
)
def test_columns_of_any_type(
    con: duckdb.DuckDBPyConnection, kind: str, values: list[str], expected: list[str]
) -> None:
    con.execute(f"create table attributes (customer_id integer, own {kind})")
    con.executemany(
        f"insert into attributes values ($i, $value::varchar::{kind})",
        [{"i": i, "value": value} for i, value in enumerate([*values, None])],
    )
    con.execute("create table segments as select customer_id, 1 as segment from attributes")
    assert [row["value"] for row in rows(con, CROSSTAB)] == expected


def test_names_and_values_are_only_names_and_values(con: duckdb.DuckDBPyConnection) -> None:
    names = [
        "a'b", 'say "no"', "{}", "x; drop table segments", "columns(*)", "*", "=", "a, b", " ",
        "Größe", "select", "lambda", "segments", "attributes", "n_bins", "max_values", "attribute",
        "value", "value_rank", "number", "text", "texts", "n", "n_customers", "is_number", "one",
        "left_out", "types", "type_row", "passed", "edge", "bin",
    ]  # fmt: skip
    values = ["o'clock", '"', "{}", "{0}", "%s", "NULL", "null", "\\", "a=b, c=d", "nan", "--"]
    shuffled = np.random.default_rng(1).permutation(len(values) * 3)
    own = {
        name: [values[int(x) % len(values)] for x in np.roll(shuffled, i)]
        for i, name in enumerate(names)
    }
    segments = [i % 3 for i in range(len(shuffled))]
    store(con, segments, **own)
    expected, tests = oracle(
        dict(enumerate(segments)), {name: dict(enumerate(x)) for name, x in own.items()}, 5, 50
    )
    found = rows(con, CROSSTAB)
    keys = ("attribute", "value", "value_rank", "segment", "n_customers")
    assert [[row[key] for key in keys] for row in found] == [
        [row[key] for key in keys] for row in expected
    ]
    for row in rows(con, ASSOCIATION):
        assert row["chi_square"] == pytest.approx(tests.pop(row["attribute"])["chi_square"])
    assert not tests


def test_ids_segments_and_runs_are_no_attributes(con: duckdb.DuckDBPyConnection) -> None:
    store(con, [0, 1], Segment=["a", "b"], RUN_NAME=["a", "b"], own=["a", "b"])
    con.execute("alter table attributes rename customer_id to Customer_ID")
    assert {row["attribute"] for row in rows(con, CROSSTAB)} == {"own"}
    assert [row["attribute"] for row in rows(con, ASSOCIATION)] == ["own"]


# --- edges ---------------------------------------------------------------------------------------


UNDEFINED = (
    "chi_square", "p_value", "cramers_v", "cramers_v_corrected", "effect", "smallest_expected",
    "few_share", "is_reliable", "p_value_bonferroni",
)  # fmt: skip


def test_without_customers(con: duckdb.DuckDBPyConnection) -> None:
    store(con, [0, 1], own=["a", "b"], other=[1, 2])
    con.execute("update segments set customer_id = customer_id + 10")
    assert rows(con, CROSSTAB) == []
    nothing = dict.fromkeys(("n_values", "n_segments", "degrees", *UNDEFINED))
    expected = [
        {"attribute": name, "n_customers": 0, **nothing, "left_out": "no value is known"}
        for name in ("other", "own")
    ]
    assert rows(con, ASSOCIATION) == expected
    con.execute("delete from attributes")
    assert rows(con, CROSSTAB) == []
    assert rows(con, ASSOCIATION) == expected
    con.execute("delete from segments")
    assert rows(con, CROSSTAB) == rows(con, ASSOCIATION) == []


def test_one_customer(con: duckdb.DuckDBPyConnection) -> None:
    store(con, [3], own=["a"])
    assert [tuple(row.values()) for row in rows(con, CROSSTAB)] == [
        ("own", "a", 1, 3, 1, 1.0, 1.0, 1.0, None)
    ]
    found = association(con)
    assert (found["n_customers"], found["n_values"], found["n_segments"]) == (1, 1, 1)
    assert (found["degrees"], found["left_out"]) == (0, None)
    assert [found[name] for name in UNDEFINED] == [None] * 9


@pytest.mark.parametrize(
    ("segments", "values", "sizes"),
    [([0] * 4, ["a", "b", "a", "c"], (3, 1)), ([0, 1, 2, 0], ["a"] * 4, (1, 3))],
)
def test_one_segment_or_one_value_makes_no_test(
    con: duckdb.DuckDBPyConnection, segments: list[int], values: list[str], sizes: tuple[int, int]
) -> None:
    store(con, segments, own=values)
    found = association(con)
    assert (found["n_values"], found["n_segments"], found["degrees"]) == (*sizes, 0)
    assert [found[name] for name in UNDEFINED] == [None] * 9
    assert {row["residual"] for row in rows(con, CROSSTAB)} == {None}
    # nor does it count among the tests
    con.execute(
        "alter table attributes add other varchar; update segments set segment = 1 "
        "where customer_id < 2; update attributes set other = customer_id % 2"
    )
    for row in rows(con, ASSOCIATION):
        if row["attribute"] == "other":
            assert row["p_value_bonferroni"] == row["p_value"] is not None


def test_each_customer_an_own_value_says_nothing(con: duckdb.DuckDBPyConnection) -> None:
    store(con, [0, 0, 1, 1], own=["a", "b", "c", "d"])
    found = association(con)
    assert found["chi_square"] == pytest.approx(4)
    assert found["cramers_v"] == pytest.approx(1)
    # as much as chance can give: the corrected one is 0 / 0
    assert (found["cramers_v_corrected"], found["effect"]) == (None, None)
    assert found["is_reliable"] is False


def test_a_segment_without_known_values_has_its_rows(con: duckdb.DuckDBPyConnection) -> None:
    store(con, ["x", "x", "y", "y", "z", "w"], own=["a", "b", "a", "a", None, "a"])
    con.execute("delete from attributes where customer_id = 5")
    found = rows(con, CROSSTAB)
    assert [(row["value"], row["segment"], row["n_customers"]) for row in found] == [
        ("a", "w", 0), ("a", "x", 1), ("a", "y", 2), ("a", "z", 0),
        ("b", "w", 0), ("b", "x", 1), ("b", "y", 0), ("b", "z", 0),
    ]  # fmt: skip
    for row in found:
        if row["segment"] in ("w", "z"):
            assert (row["segment_share"], row["expected"], row["residual"]) == (None, 0, None)
    test = association(con)
    assert (test["n_customers"], test["n_segments"], test["degrees"]) == (4, 2, 1)
    assert test["smallest_expected"] == 0.5


def test_what_has_too_many_values_is_named(con: duckdb.DuckDBPyConnection) -> None:
    n = 60
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(i) for i in range(n)]
    numbers = [None, *range(n - 1)]
    store(con, [i % 2 for i in range(n)], day=days, name=[f"n {x}" for x in range(n)], n=numbers)
    assert {row["attribute"] for row in rows(con, CROSSTAB)} == {"n"}
    found = [
        (row["attribute"], row["n_customers"], row["left_out"]) for row in rows(con, ASSOCIATION)
    ]
    reason = "60 values are more than max_values = 50"
    assert found == [("n", 59, None), ("day", 60, reason), ("name", 60, reason)]
    assert {row["left_out"] for row in rows(con, calls(5, 60)[1])} == {None}
    assert len(rows(con, calls(5, 60)[0])) == 2 * (60 + 60 + 5)
    # as there is one test alone
    assert rows(con, ASSOCIATION)[0]["p_value_bonferroni"] == rows(con, ASSOCIATION)[0]["p_value"]


def test_a_run_stands_beside_its_own_features(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=3)
    call = "custseg.segment_association('custseg.segments', 'custseg.customer_features')"
    found = {row["attribute"]: row for row in rows(shop, call)}
    assert "monetary" in found
    assert {"customer_id", "run_name", "segment"}.isdisjoint(found)
    assert found["monetary"]["effect"] == "large"


# --- the same bits -------------------------------------------------------------------------------


def every_answer(
    threads: int, seed: int, settings: tuple[str, ...] = ()
) -> list[list[tuple[Any, ...]]]:
    with custseg_duck.connect(threads=threads) as con:
        for setting in settings:
            con.execute(f"set {setting}")
        con.execute(f"""
            create table segments as
            select i as customer_id, (i * 7919 % 104729) % 7 as segment
            from range(250_000) as ids (i)
            order by hash(i, {seed});
            create table attributes as
            select
                i as customer_id,
                (i * 7907 % 104723) % 1000 / 7 as amount,
                (i * 7901 % 104717) % 8 as visits,
                'region ' || ((i * 7883 % 104711) % 20 + i % 7) as region,
                'name ' || i as name
            from range(250_000) as ids (i)
            order by hash(i, {seed + 1})
        """)
        return [con.execute(f"from {call}").fetchall() for call in (CROSSTAB, ASSOCIATION)]


def test_threads_row_order_and_settings_change_no_bit() -> None:
    expected = every_answer(1, 0)
    assert [len(answer) for answer in expected] == [7 * (5 + 8 + 26), 4]
    for threads in (2, 4):
        assert every_answer(threads, threads) == expected
    settings = ("default_order = 'desc'", "default_null_order = 'nulls_first'")
    assert every_answer(1, 9, settings) == expected


# --- wrong usage ---------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [CROSSTAB, ASSOCIATION])
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("insert into segments values (0, 1)", "hold each customer once, got 1 rows too many"),
        ("insert into attributes values (0, 'b')", "hold each customer once, got 1 rows too many"),
        ("alter table attributes drop own", "must have a column beside customer_id, got none"),
        ("alter table segments drop segment", "(?s)segment.* not found"),
        ("alter table attributes rename customer_id to c", "does not have a column named"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    con: duckdb.DuckDBPyConnection, call: str, statement: str, message: str
) -> None:
    store(con, [0, 1], own=["a", "b"])
    assert rows(con, call)
    con.execute(statement)
    with pytest.raises(duckdb.Error, match=message):
        rows(con, call)


@pytest.mark.parametrize("macro", ["segment_crosstab", "segment_association"])
@pytest.mark.parametrize("option", ["n_bins", "max_values"])
@pytest.mark.parametrize("value", ["1", "0", "-3", "2.5", "null"])
def test_options_are_whole_numbers(
    con: duckdb.DuckDBPyConnection, macro: str, option: str, value: str
) -> None:
    store(con, [0, 1], own=["a", "b"])
    call = f"custseg.{macro}('segments', 'attributes', {option} := {{}})"
    assert rows(con, call.format(2))
    message = f"{option} must be a whole number of at least 2, got {value.upper()}"
    with pytest.raises(duckdb.InvalidInputException, match=message):
        rows(con, call.format(value))


@pytest.mark.parametrize("name", [*CTES, "segments_of_mine", "counts"])
def test_tables_named_like_ctes_are_read_all_the_same(
    con: duckdb.DuckDBPyConnection, name: str
) -> None:
    segments, columns = random_customers(1)
    store(con, segments, **columns)
    for call in (CROSSTAB, ASSOCIATION):
        expected = rows(con, call)
        assert expected
        for relation in ("segments", "attributes"):
            con.execute(f"create or replace temp table {name} as from memory.main.{relation}")
            assert rows(con, call.replace(f"'{relation}'", f"'{name}'")) == expected
            con.execute(f"drop table temp.main.{name}")
