"""Who moved and what drifted, against plain Python, and worked by hand."""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import custseg_duck
from tests.conftest import seeds

Row = dict[str, Any]


@pytest.fixture(scope="module")
def shared() -> Iterator[duckdb.DuckDBPyConnection]:
    """One database for all, as the tests are many."""
    with custseg_duck.connect() as connection:
        yield connection


@pytest.fixture
def con(shared: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database without tables of the tests before, with the threads it had."""
    yield shared
    shared.execute("reset threads")
    for (name,) in shared.execute("select table_name from duckdb_tables()").fetchall():
        shared.execute(f'drop table if exists "{name}"')


def store(con: duckdb.DuckDBPyConnection, name: str, **columns: Any) -> None:
    """A table of customers 0, 1, ... with these columns; a dict among the values is a MAP."""
    n = len(next(iter(columns.values())))
    arrays: dict[str, Any] = {"customer_id": pa.array(range(n), pa.int64())}
    for column, values in columns.items():
        if column == "department_share":
            maps = [None if value is None else list(value.items()) for value in values]
            arrays[column] = pa.array(maps, pa.map_(pa.string(), pa.float64()))
        elif all(value is None or isinstance(value, float) for value in values):
            arrays[column] = pa.array(values, pa.float64())
        else:
            arrays[column] = pa.array(values)
    con.register("given", pa.table(arrays))
    con.execute(f"create or replace table {name} as from given")
    con.unregister("given")


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    found = con.sql(query)
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def histograms(con: duckdb.DuckDBPyConnection, name: str, n_bins: int = 10) -> dict[Any, Row]:
    found = rows(con, f"from custseg.feature_histograms('{name}', n_bins := {n_bins})")
    return {(row["feature"], row["department"]): row for row in found}


def drift(con: duckdb.DuckDBPyConnection, n_bins: int = 10) -> dict[Any, Row]:
    found = rows(con, f"from custseg.feature_drift('before', 'after', n_bins := {n_bins})")
    return {(row["feature"], row["department"]): row for row in found}


def one(con: duckdb.DuckDBPyConnection, before: Sequence[Any], after: Sequence[Any]) -> Row:
    """The drift of one feature with these values."""
    store(con, "before", x=before)
    store(con, "after", x=after)
    return drift(con)["x", None]


# --- the definitions, in plain Python ------------------------------------------------------------


def edges_of(values: list[float], n_bins: int) -> list[float]:
    """The smallest values that k of n_bins parts of the values do not exceed."""
    ordered = sorted(values)
    ranks = [-(-len(ordered) * k // n_bins) for k in range(1, n_bins)]
    edges = {ordered[max(rank, 1) - 1] for rank in ranks}
    if min(edges) == ordered[0]:
        edges.add(math.nextafter(ordered[0], -math.inf))
    return sorted(edges)


def binned(values: list[float], edges: list[float]) -> list[int]:
    counts = [0] * (len(edges) + 1)
    for value in values:
        counts[sum(1 for edge in edges if edge < value)] += 1
    return counts


def psi_of(before: list[int], after: list[int]) -> tuple[float, int]:
    """The population stability index of bins that are not empty in both, and their number."""
    pairs = [pair for pair in zip(before, after, strict=True) if sum(pair) > 0]
    n_before, n_after, bins = sum(before), sum(after), len(pairs)
    total = 0.0
    for b, a in pairs:
        p, q = (b + 0.5) / (n_before + 0.5 * bins), (a + 0.5) / (n_after + 0.5 * bins)
        total += (q - p) * math.log(q / p)
    return total, bins


def psi_of_numbers(
    before: list[float | None], after: list[float | None], n_bins: int
) -> tuple[float, int]:
    known = [[x for x in values if x is not None] for values in (before, after)]
    edges = edges_of(known[0], n_bins)
    counts = [
        [*binned(part, edges), len(values) - len(part)]
        for part, values in zip(known, (before, after), strict=True)
    ]
    return psi_of(*counts)


def psi_of_texts(before: Sequence[str | None], after: Sequence[str | None]) -> tuple[float, int]:
    known = sorted({x for x in before if x is not None})
    names = [x if x is None or x in known else "other" for x in after]
    counts = [Counter(before), Counter(names)]
    return psi_of(*([c[name] for name in [*known, "other", None]] for c in counts))


# --- worked by hand ------------------------------------------------------------------------------


def test_psi_worked_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    # before 30 a, 10 b; after 10 a, 30 b. Shares (30 + 0.5) / (40 + 0.5 * 2) = 30.5 / 41 and
    # 10.5 / 41: (20 / 41) * ln(30.5 / 10.5), twice
    found = one(con, ["a"] * 30 + ["b"] * 10, ["a"] * 10 + ["b"] * 30)
    assert found["psi"] == pytest.approx(2 * 20 / 41 * math.log(30.5 / 10.5), rel=1e-14)
    assert found["shares_before"] == [30.5 / 41, 10.5 / 41]
    assert found["shares_after"] == [10.5 / 41, 30.5 / 41]
    # 95% of chi-square with 1 degree: (1 - 2 / 9 + 1.6448536 * sqrt(2 / 9))^3 = 3.7468
    by_chance = (1 - 2 / 9 + 1.6448536269514722 * math.sqrt(2 / 9)) ** 3 * (1 / 40 + 1 / 40)
    assert found["psi_by_chance"] == pytest.approx(by_chance, rel=1e-14)
    assert by_chance == pytest.approx(3.8415 / 20, rel=0.03)  # the table's value
    assert (found["level"], found["is_significant"], found["n_bins"]) == ("large", True, 2)


def test_bins_worked_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    store(con, "f", x=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, None])
    # of 7 values a quarter is 1.75, 3.5, 5.25: the 2nd, 4th and 6th
    found = histograms(con, "f", 4)["x", None]
    assert (found["kind"], found["edges"], found["categories"]) == ("number", [2, 4, 6], None)
    assert (found["counts"], found["n_values"], found["n_nulls"]) == ([2, 2, 2, 1], 7, 1)


@pytest.mark.parametrize("n_bins", [10, 50, 100])
def test_edges_have_exact_ranks(con: duckdb.DuckDBPyConnection, n_bins: int) -> None:
    store(con, "f", x=[float(i) for i in range(1, 101)])
    found = histograms(con, "f", n_bins)["x", None]
    # each n_bins-th value, where 0.07 * 100 and 0.55 * 100 in DOUBLE are above 7 and 55
    wide = 100 // n_bins
    edges = [float(k * wide) for k in range(1, n_bins)]
    below_lowest = [math.nextafter(1, 0)] if wide == 1 else []
    assert found["edges"] == below_lowest + edges
    assert found["counts"] == [0] * len(below_lowest) + [wide] * n_bins


def test_departments_worked_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    store(con, "before", department_share=[{"food": 1.0}] * 4 + [None])
    store(con, "after", department_share=[{"toys": 1.0}] * 3 + [{}, None])
    (food,) = histograms(con, "before").values()
    assert (food["feature"], food["department"]) == ("department_share", "food")
    assert (food["edges"][-1], food["counts"], food["n_nulls"]) == (1, [0, 4, 0], 1)
    found = drift(con)
    # nobody buys food now: 4 of 5 from the bin (below, 1] to the one below, one NULL as before
    assert found["department_share", "food"]["psi"] == pytest.approx(
        2 * (4 / 6.5) * math.log(4.5 / 0.5), rel=1e-14
    )
    assert found["department_share", "toys"]["level"] == "new"


def test_migration_worked_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    store(con, "before", segment=["x", "x", "x", "y", None, "z"])
    store(con, "after", segment=["x", "y", "y", "y", "x", None, "w"])
    found = con.execute("from custseg.segment_migration('before', 'after')").fetchall()
    assert found == [
        ("x", "y", 2, 2 / 3, 2 / 3, 2 / 7, False),
        ("x", "x", 1, 1 / 3, 1 / 2, 1 / 7, True),
        ("y", "y", 1, 1.0, 1 / 3, 1 / 7, True),
        ("z", None, 1, 1.0, None, 1 / 7, False),
        (None, "w", 1, None, 1.0, 1 / 7, False),
        (None, "x", 1, None, 1 / 2, 1 / 7, False),
    ]


# --- against plain Python ------------------------------------------------------------------------


def random_values(rng: random.Random, n: int) -> list[float | None]:
    draws: list[Callable[[], float]] = [
        lambda: rng.gauss(0, 1),
        lambda: float(rng.randrange(4)),
        lambda: rng.lognormvariate(0, 2),
        lambda: max(0.0, rng.gauss(-1, 1)),
        lambda: 1e6 + rng.random(),
    ]
    draw = rng.choice(draws)
    nulls = rng.choice([0, 0, 0.2])
    return [0.5, *(None if rng.random() < nulls else draw() for _ in range(n))]


@pytest.mark.parametrize("seed", seeds(25))
def test_numbers_texts_and_departments(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    rng = random.Random(seed)
    n_bins = rng.choice([2, 3, 10, 20])
    data: dict[str, dict[str, list[Any]]] = {}
    for name in ("before", "after"):
        n = rng.randrange(1, 300)
        choices: list[list[str | None]] = [
            ["a", "b"],
            ["b", "c", None],
            [f"t{i}" for i in range(49)],
        ]
        texts = rng.choice(choices)
        data[name] = {
            "x": random_values(rng, n),
            "t": ["a", *(rng.choice(texts) for _ in range(n))],
            "department_share": [{"A": 0.5}]
            + [
                None
                if rng.random() < 0.1
                else {k: rng.random() for k in "AB" if rng.random() < 0.6}
                for _ in range(n)
            ],
        }
        store(con, name, **data[name])
    before, after = data["before"], data["after"]
    number = histograms(con, "before", n_bins)["x", None]
    values = [x for x in before["x"] if x is not None]
    assert number["edges"] == edges_of(values, n_bins)
    assert number["counts"] == binned(values, edges_of(values, n_bins))
    text = histograms(con, "before", n_bins)["t", None]
    assert text["categories"] == sorted({x for x in before["t"] if x is not None})
    assert text["counts"] == [before["t"].count(x) for x in text["categories"]]
    shares = [
        [None if m is None else m.get("A", 0.0) for m in part["department_share"]]
        for part in (before, after)
    ]
    expected = {
        ("x", None): psi_of_numbers(before["x"], after["x"], n_bins),
        ("t", None): psi_of_texts(before["t"], after["t"]),
        ("department_share", "A"): psi_of_numbers(shares[0], shares[1], n_bins),
    }
    found = drift(con, n_bins)
    for key, (psi, bins) in expected.items():
        row = found[key]
        assert row["psi"] == pytest.approx(psi, rel=1e-11, abs=1e-15), key
        assert row["n_bins"] == bins
        assert (row["n_before"], row["n_after"]) == (len(before["x"]), len(after["x"]))
        assert row["level"] == ("stable" if psi < 0.1 else "moderate" if psi < 0.25 else "large")
        assert sum(row["shares_before"]) == pytest.approx(1)
        assert sum(row["shares_after"]) == pytest.approx(1)
        assert row["is_significant"] == (row["psi"] > row["psi_by_chance"])


@pytest.mark.parametrize("seed", range(10))
def test_migration_against_counters(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    rng = random.Random(seed)
    n_before, n_after = rng.randrange(1, 200), rng.randrange(1, 200)
    before = [rng.choice([0, 1, 2, None]) for _ in range(n_before)]
    after = [rng.choice([1, 2, 3]) for _ in range(n_after)]
    store(con, "before", segment=before)
    store(con, "after", segment=after)
    longest = max(n_before, n_after)
    pairs = Counter(
        zip(
            before + [None] * (longest - n_before), after + [None] * (longest - n_after),
            strict=True,
        )
    )  # fmt: skip
    del pairs[None, None]
    found = con.execute("from custseg.segment_migration('before', 'after')").fetchall()
    assert {row[:2]: row[2] for row in found} == dict(pairs)
    for source, target, n, share, to_share, population_share, stays in found:
        assert share == (
            None if source is None else n / sum(x is not None and x == source for x in before)
        )
        assert to_share == (None if target is None else n / after.count(target))
        assert population_share == n / sum(pairs.values())
        assert stays == (source == target)


# --- what it is for ------------------------------------------------------------------------------


def test_a_planted_shift_is_found(con: duckdb.DuckDBPyConnection) -> None:
    rng = np.random.default_rng(1)
    names = [f"noise_{i}" for i in range(5)]
    store(con, "before", moved=rng.normal(0, 1, 2000), **{n: rng.normal(size=2000) for n in names})
    store(con, "after", moved=rng.normal(1, 1, 2000), **{n: rng.normal(size=2000) for n in names})
    found = list(drift(con).values())
    # of normal distributions one standard deviation apart the index is about 1
    assert found[0]["feature"] == "moved"
    assert 0.7 < found[0]["psi"] < 1.3
    assert found[0]["is_significant"]
    assert {row["level"] for row in found[1:]} == {"stable"}


@pytest.mark.parametrize(("n_before", "n_after"), [(1000, 1000), (4000, 500), (500, 4000)])
def test_noise_is_significant_in_one_of_twenty(
    con: duckdb.DuckDBPyConnection, n_before: int, n_after: int
) -> None:
    rng = np.random.default_rng(7)
    store(con, "before", **{f"x{i}": rng.normal(size=n_before) for i in range(400)})
    store(con, "after", **{f"x{i}": rng.normal(size=n_after) for i in range(400)})
    share = sum(row["is_significant"] for row in drift(con).values()) / 400
    assert 0.02 < share < 0.085  # standard error 0.011


@pytest.mark.parametrize("value", [0.0, 5.0, -1e6, "a", True])
def test_an_unchanged_constant_is_no_drift(con: duckdb.DuckDBPyConnection, value: Any) -> None:
    found = one(con, [value] * 100_000, [value] * 100)
    assert (found["psi"], found["psi_by_chance"], found["level"]) == (0, 0, "stable")
    assert found["is_significant"] is False
    assert found["n_bins"] == 1


@pytest.mark.parametrize("value", [4.0, 6.0, math.nextafter(5, 0), math.nextafter(5, 9)])
def test_a_constant_that_changes_is(con: duckdb.DuckDBPyConnection, value: float) -> None:
    found = one(con, [5.0] * 1000, [value] * 1000)
    assert (found["level"], found["is_significant"], found["n_bins"]) == ("large", True, 2)


# --- edges of the input --------------------------------------------------------------------------


def test_no_rows_and_one_row(con: duckdb.DuckDBPyConnection) -> None:
    store(con, "before", x=[1.0, 2.0])
    con.execute("create table after as from before where false")
    found = drift(con)["x", None]
    assert (found["psi"], found["level"], found["n_before"], found["n_after"]) == (None, None, 2, 0)
    assert histograms(con, "after") == {}
    assert one(con, [1.0], [1.0])["psi"] == 0
    assert one(con, [1.0], [2.0])["is_significant"] is False
    con.execute("create table nobody as select 1 as customer_id, 1 as segment where false")
    assert con.execute("from custseg.segment_migration('nobody', 'nobody')").fetchall() == []


def test_nulls_are_a_bin(con: duckdb.DuckDBPyConnection) -> None:
    # 10 of one value before; now 5 and 5 NULL: shares 10.5 / 11, 0.5 / 11 and 5.5 / 11 twice
    found = one(con, [1.0] * 10, [1.0] * 5 + [None] * 5)
    psi = 5 / 11 * math.log(10.5 / 5.5) + 5 / 11 * math.log(5.5 / 0.5)
    assert found["psi"] == pytest.approx(psi, rel=1e-14)
    assert (found["null_share_before"], found["null_share_after"]) == (0, 0.5)
    assert len(found["shares_after"]) == 4  # below, at, above the value; NULL


@pytest.mark.parametrize("values", [["a", "b"] * 50, [1.0, 2.0] * 50])
def test_what_is_all_null_now_is_there(con: duckdb.DuckDBPyConnection, values: list[Any]) -> None:
    store(con, "before", x=values)
    con.execute(
        "create table after as select customer_id, case when false then x end as x from before"
    )
    found = drift(con)["x", None]
    assert (found["level"], found["null_share_after"]) == ("large", 1)


def test_a_text_of_many_new_values_is_there(con: duckdb.DuckDBPyConnection) -> None:
    after = [f"t{i}" for i in range(100)]
    found = one(con, ["t1", "t2"] * 50, after)
    assert found["psi"] == pytest.approx(psi_of_texts(["t1", "t2"] * 50, after)[0], rel=1e-13)
    assert len(found["shares_after"]) == 3


def test_missing_and_new_come_first(con: duckdb.DuckDBPyConnection) -> None:
    store(con, "before", gone=[1.0, 2.0], same=[1.0, 2.0], kind=["a", "b"])
    store(con, "after", added=[1.0, 2.0], same=[1.0, 2.0], kind=[1.0, 2.0])
    found = [(row["feature"], row["level"], row["psi"]) for row in drift(con).values()]
    assert found == [
        ("added", "new", None), ("gone", "missing", None), ("kind", "missing", None),
        ("same", "stable", 0),
    ]  # fmt: skip


def test_which_columns_count(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        create table f as
        select
            range as customer_id, 'r' as run_name, range::decimal(9, 2) as amount,
            't' || range % 50 as few, 't' || range % 51 as many, date '2024-01-01' as day,
            [range] as list, {'a': range} as struct, range % 60 as segment,
        from range(600)
    """)
    found = histograms(con, "f")
    assert {key[0]: row["kind"] for key, row in found.items() if key[0] != "segment"} == {
        "amount": "number", "few": "category",
    }  # fmt: skip
    assert len(found["few", None]["categories"]) == 50


def test_histograms_stored_as_structs(con: duckdb.DuckDBPyConnection) -> None:
    store(con, "before", x=[1.0, 2.0, 3.0], t=["a", "b", "a"], department_share=[{"A": 0.5}] * 3)
    store(con, "after", x=[3.0, 3.0, 1.0], t=["a", "c", "a"], department_share=[{"A": 0.1}] * 3)
    expected = rows(con, "from custseg.feature_drift('before', 'after')")
    con.execute(
        "create table kept as select list(h) as h from custseg.feature_histograms('before') as h"
    )
    con.execute("create table known as select unnest(h, recursive := true) from kept")
    con.execute("drop table before")
    assert rows(con, "from custseg.drift_of_histograms('known', 'after')") == expected
    assert len(expected) == 3


# --- the same bits, and wrong usage --------------------------------------------------------------


def test_order_and_threads_change_nothing(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        create table f as
        select
            range as customer_id, ln(1 + hash(range) % 100000) as x, 't' || hash(range) % 7 as t,
            case when range % 2 = 0 then 0.0::double else -(0.0::double) end as zero,
            map {'A': hash(range, 1) % 100 / 100, 'B': 0.1}::map(varchar, double)
                as department_share,
            hash(range) % 3 as segment,
        from range(20000)
    """)
    con.execute("create table g as from f where x > 9")
    results = set()
    for threads in (1, 4):
        con.execute(f"set threads = {threads}")
        for order in ("customer_id asc", "customer_id desc", "hash(customer_id, 3) asc"):
            con.execute(f"create or replace table f2 as from f order by {order}")
            con.execute(f"create or replace table g2 as from g order by {order}")
            results.add(
                repr(
                    [
                        con.execute(query).fetchall()
                        for query in (
                            "from custseg.feature_histograms('f2')",
                            "from custseg.feature_drift('f2', 'g2')",
                            "from custseg.segment_migration('f2', 'g2')",
                        )
                    ]
                )
            )
    assert len(results) == 1
    assert "-0.0" not in results.pop()


@pytest.mark.parametrize("n_bins", ["1", "0", "101", "2.5", "null"])
def test_wrong_numbers_of_bins(con: duckdb.DuckDBPyConnection, n_bins: str) -> None:
    store(con, "f", x=[1.0, 2.0])
    with pytest.raises(duckdb.Error, match="n_bins must be a whole number between 2 and 100, got"):
        con.execute(f"from custseg.feature_histograms('f', n_bins := {n_bins})").fetchall()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_must_be_finite(con: duckdb.DuckDBPyConnection, value: float) -> None:
    store(con, "good", x=[1.0, 2.0])
    store(con, "bad", x=[1.0, value])
    for before, after in (("good", "bad"), ("bad", "good")):
        with pytest.raises(
            duckdb.Error, match="features must be finite and within 1e100, got x from"
        ):
            con.execute(f"from custseg.feature_drift('{before}', '{after}')").fetchall()


def test_each_customer_once(con: duckdb.DuckDBPyConnection) -> None:
    store(con, "good", segment=[1, 2])
    con.execute("create table bad as from good union all select 1, 2")
    with pytest.raises(duckdb.Error, match="segments_before must hold each customer once, got 1"):
        con.execute("from custseg.segment_migration('bad', 'good')").fetchall()
    with pytest.raises(duckdb.Error, match="segments_after must hold each customer once, got 1"):
        con.execute("from custseg.segment_migration('good', 'bad')").fetchall()


def test_segments_of_any_two_types(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table i as select 1 as customer_id, 1 as segment")
    for value, stays in (("'a'", False), ("'1'", True), ("[1]", False), ("1::tinyint", True)):
        con.execute(f"create or replace table s as select 1 as customer_id, {value} as segment")
        found = con.execute("select is_stay from custseg.segment_migration('i', 's')").fetchall()
        assert found == [(stays,)]
