"""Decision rules: the SQL that is written agrees with the segments as often as it says."""

import itertools
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier
from test_hazards import TEXTS, ctes_of, macros_within
from test_portability import plainly

import custseg_duck
from custseg_duck.udfs import tree, tree_text

NAMES = (
    'say "hi"', "select", "Total Spend", "a'b", "end", "naïve", "1st", "x.y", "columns", "asof",
    "line\nbreak", "{}", "coalesce", "user",
)  # fmt: skip
DEPARTMENTS = ("MEAT & FISH", "L'ORÉAL", 'say "hi"', "")

NAMES_WITHIN = {
    name
    for macro in ("decision_tree", "decision_rules")
    for part in macros_within(macro)
    for name in ctes_of(TEXTS[part])
}

Answer = dict[str, Any]


@pytest.fixture(scope="module")
def shared() -> Iterator[duckdb.DuckDBPyConnection]:
    """One database for all, as the tests are many."""
    with custseg_duck.connect() as connection:
        yield connection


@pytest.fixture
def con(shared: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database without tables of the tests before."""
    yield shared
    for name in ("features", "segments", "tree"):
        shared.execute(f"drop table if exists {name}")


def store(con: duckdb.DuckDBPyConnection, columns: dict[str, Any], labels: Any) -> None:
    """The tables features and segments."""
    labels = labels if isinstance(labels, pa.Array) else pa.array(labels, pa.int32())
    for name, given_columns in (("features", columns), ("segments", {"segment": labels})):
        rows = pa.table({"customer_id": pa.array(range(len(labels))), **given_columns})
        con.register("given_rows", rows)
        con.execute(f"create or replace table {name} as from given_rows")


def decide(con: duckdb.DuckDBPyConnection, options: str = "", schema: str = "main") -> Answer:
    """The tree of the tables features and segments."""
    found = con.sql(
        f"from custseg.decision_tree('{schema}.features', '{schema}.segments'{options})"
    )
    (row,) = found.fetchall()
    return dict(zip(found.columns, row, strict=True))


def measuring(answer: Answer, features: str, segments: str) -> str:
    """SQL for what its SQL gives: customers, those that agree, and four numbers per segment."""
    case = f"({answer['case_expression']})"
    parts = [
        f"[count(*) filter ({found['condition']}), "
        f"count(*) filter (({found['condition']}) and segment = {found['segment']}), "
        f"count(*) filter ({case} = {found['segment']}), "
        f"count(*) filter (segment = {found['segment']})]"
        for found in answer["segments"]
    ]
    return (
        f"select count(*), count(*) filter ({case} = segment), [{', '.join(parts)}] "
        f"from {features} inner join {segments} using (customer_id) where segment is not null"
    )


def check(answer: Answer, n: int, n_right: int, parts: list[list[int]]) -> None:
    """What the tree says of itself is what its SQL does."""
    assert answer["n_customers"] == n
    assert answer["fidelity"] == n_right / n
    # as many as by the CASE for each, and all of them together: disjoint and complete
    assert sum(part[0] for part in parts) == n
    for found, (n_selected, n_own, n_by_case, size) in zip(answer["segments"], parts, strict=True):
        assert found["n_customers"] == n_selected == n_by_case
        assert found["precision"] == (n_own / n_selected if n_selected else None)
        assert found["recall"] == n_own / size
    assert answer["baseline"] == max(part[3] for part in parts) / n
    assert answer["fidelity"] >= answer["baseline"]
    assert answer["n_leaves"] <= 2 * len(parts) + 2


def checked(con: duckdb.DuckDBPyConnection, options: str = "") -> Answer:
    """The tree, after its SQL was run."""
    answer = decide(con, options)
    check(answer, *con.execute(measuring(answer, "features", "segments")).fetchall()[0])
    return answer


def random_shop(seed: int) -> tuple[dict[str, pa.Array], pa.Array]:
    """Features of every type, some unknown, under odd names; segments that they nearly give."""
    rng = random.Random(seed)
    n = rng.choice([1, 2, 7, 60, 400])
    names = rng.sample(NAMES, 9)
    scale = 10.0 ** rng.randint(-12, 12)
    kinds: list[tuple[Any, pa.DataType]] = [
        (lambda: rng.gauss(0, 1) * scale, pa.float64()),
        (lambda: rng.expovariate(1) * 1000, pa.float64()),
        (lambda: rng.randint(-3, 4), pa.int32()),
        (lambda: rng.randint(-(2**62), 2**62), pa.int64()),
        (lambda: rng.choice([0.1, 0.2, 0.3, 1e-7]), pa.float32()),
        (lambda: Decimal(rng.randint(0, 10**6)) / 100, pa.decimal128(18, 2)),
        (lambda: Decimal(rng.randint(-(10**20), 10**20)) / 10**4, pa.decimal128(38, 4)),
        (lambda: rng.random() < 0.3, pa.bool_()),
        (lambda: 7, pa.int16()),
    ]
    columns = {}
    for name, (draw, kind) in zip(names, kinds, strict=True):
        share = rng.choice([0, 0, 0.15])
        columns[name] = pa.array([None if rng.random() < share else draw() for _ in range(n)], kind)
    columns[names[0]] = columns[names[0]].fill_null(0.0)  # something is known
    ids = rng.choice([[0, 1, 2], [-5, 10**12, 3], [7]])
    cuts = []
    for name in rng.sample(names[:8], 2):
        values = [None if x is None else float(x) for x in columns[name].to_pylist()]
        known = sorted(x for x in values if x is not None)
        cuts.append([x is not None and x > known[len(known) // 2] for x in values])
    labels = [
        rng.choice(ids) if rng.random() < 0.1 else ids[sum(places) % len(ids)]
        for places in zip(*cuts, strict=True)
    ]
    columns["department_share"] = pa.array(
        [
            None
            if rng.random() < 0.05
            else [
                (name, rng.random() * (0.5 + label % 3))
                for name in DEPARTMENTS
                if rng.random() < 0.7
            ]
            for label in labels
        ],
        pa.map_(pa.string(), pa.float64()),
    )
    unknown = [i > 0 and rng.random() < 0.03 for i in range(n)]
    return columns, pa.array(labels, pa.int64(), mask=np.array(unknown))


# --- what is written is what was measured --------------------------------------------------------


def test_the_sql_does_what_the_tree_says_in_a_plain_process(tmp_path: Path) -> None:
    """Every type, NULLs, odd names: executed where custseg_duck was never heard of."""
    path = tmp_path / "shops.duckdb"
    answers = []
    with custseg_duck.connect(path) as con:
        for seed in range(80):
            store(con, *random_shop(seed))
            con.execute(f"create schema shop_{seed}")
            for table in ("features", "segments"):
                con.execute(f"create table shop_{seed}.{table} as from {table}")
            answers.append(decide(con, f", max_depth := {1 + seed % 6}", f"shop_{seed}"))
    assert {answer["depth"] for answer in answers} >= {0, 1, 2, 3, 4}
    texts = " ".join(answer["case_expression"] for answer in answers)
    for written in ("coalesce(", "cast(", "not ", "department_share['", '"say ""hi"""', "e+1"):
        assert written in texts, written
    statements = [
        f"select {i} as i, found.* from ("
        + measuring(answer, f"shop.shop_{i}.features", f"shop.shop_{i}.segments")
        + ") as found"
        for i, answer in enumerate(answers)
    ]
    measured = plainly(path, " union all ".join(statements) + " order by i")
    for answer, (_, n, n_right, parts) in zip(answers, measured, strict=True):
        check(answer, n, n_right, parts)  # type: ignore[arg-type]


def test_the_complete_journey_in_a_plain_process(complete_journey: Path, tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with custseg_duck.connect(path) as con:
        con.execute(f"attach '{complete_journey}' as file (read_only)")
        custseg_duck.run("file.main.order_lines", con=con, k=6, min_support=0.02)
        con.execute(
            "create table tree as from "
            "custseg.decision_tree('custseg.customer_features', 'custseg.segments')"
        )
        found = con.sql("from tree")
        answer = dict(zip(found.columns, found.fetchall()[0], strict=True))
        rules = con.execute("from custseg.decision_rules('tree')").fetchall()
    assert rules == [tuple(rule.values()) for rule in answer["segments"]]
    (measured,) = plainly(
        path, measuring(answer, "shop.custseg.customer_features", "shop.custseg.segments")
    )
    check(answer, *measured)  # type: ignore[arg-type]
    assert answer["fidelity"] > 0.8
    assert answer["n_leaves"] <= 10
    assert all(rule["n_customers"] for rule in answer["segments"])
    assert len(answer["case_expression"].splitlines()) <= 12


# --- what is found -------------------------------------------------------------------------------


def planted(n: int = 2000, seed: int = 0) -> tuple[dict[str, Any], list[int]]:
    """Money up to 1200 or not, of the others visits up to 14 or not; and noise."""
    rng = np.random.default_rng(seed)
    money = np.round(rng.uniform(0, 3000, n), 2)
    money[:4] = 1199.5, 1200.25, 1200, 1200.4  # no rounder number is between 1200 and 1200.25
    visits = rng.integers(1, 40, n)
    columns = {"money": money, "visits": visits, "noise": rng.normal(size=n)}
    return columns, np.where(money <= 1200, 0, np.where(visits <= 14, 1, 2)).tolist()


def test_planted_segments_are_found_with_their_thresholds(con: duckdb.DuckDBPyConnection) -> None:
    columns, labels = planted()
    store(con, columns, labels)
    answer = checked(con)
    assert answer["case_expression"] == (
        "case\n    when money <= 1200 then 0\n    when visits <= 14 then 1\n    else 2\nend"
    )
    assert (answer["fidelity"], answer["n_leaves"], answer["depth"]) == (1, 3, 2)
    assert [(rule["condition"], rule["description"]) for rule in answer["segments"]] == [
        ("money <= 1200", "money at most 1,200"),
        ("money > 1200 and visits <= 14", "money above 1,200 and visits at most 14"),
        ("money > 1200 and visits > 14", "money above 1,200 and visits above 14"),
    ]
    assert {rule["precision"] for rule in answer["segments"]} == {1}
    assert {rule["recall"] for rule in answer["segments"]} == {1}


def test_bounds_of_one_feature_are_merged_and_alternatives_listed(
    con: duckdb.DuckDBPyConnection,
) -> None:
    # 0..39: segment 1 in the middle, 0 on both sides
    store(con, {"x": pa.array(range(40))}, [int(10 <= x < 30) for x in range(40)])
    answer = checked(con)
    assert answer["case_expression"] == (
        "case\n    when x <= 9 then 0\n    when x <= 29 then 1\n    else 0\nend"
    )
    assert [(rule["condition"], rule["description"]) for rule in answer["segments"]] == [
        ("(x <= 9)\nor (x > 29)", "x at most 9; or x above 29"),
        ("x > 9 and x <= 29", "x above 9 and at most 29"),
    ]


def test_the_size_of_the_tree_is_the_smallest_within_two_points(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """By brute force over all subtrees of scikit-learn's tree, on values that it holds exactly."""
    n_larger = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        n, k = int(rng.integers(5, 500)), int(rng.integers(1, 6))
        points = rng.integers(-20, 20, (n, 3)).astype(float)
        labels = (points[:, 0] // 8 + points[:, 1] // 15).astype(int) % k
        noisy = rng.random(n) < 0.2
        labels[noisy] = rng.integers(0, k, noisy.sum())
        if seed % 2:  # a rare one, in a corner
            labels[(points[:, 2] > 17) & (points[:, 0] < 0)] = k
        store(con, {f"f{i}": column for i, column in enumerate(points.T)}, labels.tolist())
        answer = checked(con)
        given_segments = set(labels.tolist())
        k = len(given_segments)
        full = DecisionTreeClassifier(max_depth=4, random_state=0).fit(points, labels)
        subtrees = [s for s in all_subtrees(full, points, labels) if s[0] <= 2 * k + 2]
        best = max(n_right for _, n_right, _ in subtrees)
        smallest = min(size for size, n_right, _ in subtrees if 50 * (best - n_right) <= n)
        n_right = round(answer["fidelity"] * n)
        missing = {rule["segment"] for rule in answer["segments"] if not rule["n_customers"]}
        if answer["n_leaves"] > smallest:  # only for the sake of a segment without a leaf
            n_larger += 1
            same_size = [s for s in subtrees if s[0] <= smallest and 50 * (best - s[1]) <= n]
            assert any(len(s[2]) < k - len(missing) for s in same_size)
        else:
            assert n_right == max(right for size, right, _ in subtrees if size == smallest)
        assert 50 * (best - n_right) <= n
        possible = {s for _, _, found in subtrees for s in found}
        assert possible >= given_segments - missing
    assert n_larger > 1


def test_segments_without_a_leaf_get_one_by_the_fewest_splits(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Two small ones side by side; what is left of the large one there could be split off, too."""
    small = [  # x, y, z, segment
        *[(0, 0, 0, 1), (0, 0, 1, 1), (0, 0, 1, 1), (0, 1, 0, 0), (0, 1, 1, 0)],
        *[(1, 0, 0, 2), (1, 1, 0, 2), (1, 1, 0, 2), (1, 0, 1, 0), (1, 1, 1, 0)],
    ]
    n = 1000
    large = [(0, 0, 0, 0)] * n
    x, y, z, segments = (list(column) for column in zip(*large, *small, strict=True))
    place = [0] * n + [1] * len(small)
    store(con, {"place": place, "x": x, "y": y, "z": z}, segments)
    answer = checked(con)
    assert answer["n_leaves"] == 3
    assert all(rule["n_customers"] for rule in answer["segments"])


def all_subtrees(
    fitted: DecisionTreeClassifier, points: Any, labels: Any
) -> list[tuple[int, int, frozenset[int]]]:
    """Leaves, rows that are right and segments found, of each tree that pruning can leave."""
    found = fitted.tree_
    passes = fitted.decision_path(points.astype(np.float32)).toarray().astype(bool)

    def below(i: int) -> list[tuple[int, int, frozenset[int]]]:
        counts = np.bincount(labels[passes[:, i]])
        options = [(1, int(counts.max()), frozenset([int(counts.argmax())]))]
        if found.feature[i] >= 0:
            pairs = itertools.product(below(found.children_left[i]), below(found.children_right[i]))
            options += [(a + c, b + d, s | t) for (a, b, s), (c, d, t) in pairs]
        return options

    return below(0)


def test_a_small_segment_has_a_leaf_where_there_are_leaves_to_spare(
    con: duckdb.DuckDBPyConnection,
) -> None:
    # 1,000 customers: without the 5 of segment 2 the tree would be within 2 points
    store(
        con,
        {"x": pa.array(range(1000))},
        [2 if 100 <= x < 105 else int(x >= 500) for x in range(1000)],
    )
    answer = checked(con)
    assert answer["fidelity"] == 1
    assert answer["segments"][2]["condition"] == "x > 99 and x <= 104"


def test_a_segment_that_no_leaf_is_of_says_so(con: duckdb.DuckDBPyConnection) -> None:
    x = [i // 4 for i in range(400)]  # four alike, one of which is of segment 2 in one place
    store(con, {"x": pa.array(x)}, [2 if i == 13 else int(v >= 50) for i, v in enumerate(x)])
    answer = checked(con)
    nobody = {
        "segment": 2, "condition": "false", "n_customers": 0, "precision": None, "recall": 0,
        "description": "no customers: no rule finds this segment",
    }  # fmt: skip
    assert answer["segments"][2] == nobody
    assert answer["fidelity"] == 399 / 400


def test_the_features_are_those_that_customers_are_clustered_by(
    con: duckdb.DuckDBPyConnection,
) -> None:
    n = 200
    labels = [int(i % 10 >= 5) for i in range(n)]
    share = [[("A", 1 - i % 10 / 10), ("B", i % 10 / 10), ("C", 1e-4)] for i in range(n)]
    columns = {
        "monetary": pa.array([i * 7 % 13 for i in range(n)]),
        "exact": pa.array(labels),
        "department_share": pa.array(share, pa.map_(pa.string(), pa.float64())),
    }
    store(con, columns, labels)
    by_default = checked(con)["case_expression"]
    assert "exact" not in by_default
    assert "coalesce(department_share['" in by_default
    assert "exact <= 0" in checked(con, ", include := ['exact', 'monetary']")["case_expression"]
    without = checked(con, ", exclude := ['department_share']")["case_expression"]
    assert "department_share" not in without
    con.execute("alter table features drop column monetary")  # no feature of the default: all
    every_number = checked(con, ", exclude := ['department_share']")
    assert "exact <= 0" in every_number["case_expression"]


# --- the same for the same customers -------------------------------------------------------------


def test_order_of_rows_ids_and_threads_make_no_difference(con: duckdb.DuckDBPyConnection) -> None:
    for seed in (3, 5, 11, 14):
        store(con, *random_shop(seed))
        expected = decide(con)
        for threads in (1, 4):
            con.execute(f"set threads = {threads}")
            for order in ("hash(customer_id)", "customer_id desc"):
                con.execute(
                    "create or replace table shuffled as select * replace "
                    f"(('c' || hash(customer_id)) as customer_id) from features order by {order}"
                )
                con.execute(
                    "create or replace table grouped as select "
                    "'c' || hash(customer_id) as customer_id, segment from segments "
                    f"order by segment, {order}"
                )
                found = con.sql("from custseg.decision_tree('shuffled', 'grouped')")
                assert found.fetchall() == [tuple(expected.values())]
        con.execute("reset threads")


def test_a_sample_is_the_same_for_any_order_and_judged_on_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tree, "SAMPLE_ROWS", 300)
    columns, _ = planted(5000, seed=4)
    money, visits = columns["money"], columns["visits"]
    segments = np.where(money <= 1288.3, 0, np.where(visits <= 14, 1, 2))
    points = np.column_stack(list(columns.values()))
    described = [{"name": name, "department": None, "type": "DOUBLE"} for name in columns]
    answer = tree.surrogate_tree(points, segments, described)
    order = np.random.default_rng(1).permutation(5000)
    assert tree.surrogate_tree(points[order], segments[order], described) == answer
    first, second = answer["case_expression"].splitlines()[1:3]
    cut, visit_cut = (float(line.split("<= ")[1].split(" ")[0]) for line in (first, second))
    said = np.where(money <= cut, 0, np.where(visits <= visit_cut, 1, 2))
    assert answer["fidelity"] == np.count_nonzero(said == segments) / 5000
    assert 0.97 < answer["fidelity"] < 1


@pytest.mark.parametrize("name", sorted(NAMES_WITHIN))
def test_tables_named_like_its_ctes_are_read_all_the_same(
    con: duckdb.DuckDBPyConnection, name: str
) -> None:
    store(con, *planted(50))
    con.execute("create table tree as from custseg.decision_tree('features', 'segments')")
    expected = con.execute("from tree").fetchall()
    rules = con.execute("from custseg.decision_rules('tree')").fetchall()
    for table, call, rows in (
        ("features", f"decision_tree('{name}', 'segments')", expected),
        ("segments", f"decision_tree('features', '{name}')", expected),
        ("tree", f"decision_rules('{name}')", rules),
    ):
        con.execute(f"create or replace temp table {name} as from main.{table}")
        assert con.execute(f"from custseg.{call}").fetchall() == rows
        con.execute(f"drop table temp.main.{name}")


# --- the edges -----------------------------------------------------------------------------------


def test_one_segment_is_its_number(con: duckdb.DuckDBPyConnection) -> None:
    store(con, {"x": pa.array([1.0, 2.0, None])}, [-4, -4, -4])
    answer = checked(con)
    assert answer["case_expression"] == "-4"
    assert (answer["fidelity"], answer["baseline"]) == (1, 1)
    assert (answer["n_leaves"], answer["depth"], answer["n_customers"]) == (1, 0, 3)
    assert [tuple(rule.values()) for rule in answer["segments"]] == [
        (-4, "true", "all customers", 3, 1, 1)
    ]
    assert con.execute("select -4 as segment from features").fetchall() == [(-4,)] * 3


def test_one_customer(con: duckdb.DuckDBPyConnection) -> None:
    store(con, {"x": pa.array([1.0])}, [3])
    assert checked(con)["case_expression"] == "3"


def test_constant_features_say_nothing_and_ties_go_to_the_first_segment(
    con: duckdb.DuckDBPyConnection,
) -> None:
    store(con, {"x": pa.array([5.0] * 4)}, [9, 2, 2, 9])
    answer = checked(con)
    assert answer["case_expression"] == "2"
    assert (answer["fidelity"], answer["baseline"]) == (0.5, 0.5)
    assert [rule["n_customers"] for rule in answer["segments"]] == [4, 0]


def test_unknown_values_are_near_the_median_and_said_so(con: duckdb.DuckDBPyConnection) -> None:
    # of 1, 2, 3, 101, 102 the middle one is 3: the unknown one is with the first ones
    store(con, {"x": pa.array([1, 2, 3, 101, 102, None])}, [0, 0, 0, 1, 1, 0])
    answer = checked(con)
    assert answer["case_expression"].splitlines()[1] == "    when coalesce(x, 3) <= 50 then 0"
    assert answer["segments"][0]["description"] == "x at most 50 (or unknown)"
    assert answer["segments"][1]["description"] == "x above 50"
    assert answer["fidelity"] == 1


def test_booleans_are_conditions(con: duckdb.DuckDBPyConnection) -> None:
    store(con, {"is_member": pa.array([True, True, False, None, None])}, [1, 1, 0, 1, 1])
    answer = checked(con)
    assert answer["case_expression"].splitlines()[1:3] == [
        "    when not coalesce(is_member, true) then 0",
        "    else 1",
    ]
    assert [rule["description"] for rule in answer["segments"]] == [
        "not is_member",
        "is_member (or unknown)",
    ]


def test_single_precision_is_compared_in_double(con: duckdb.DuckDBPyConnection) -> None:
    # 0.1 as FLOAT is 0.100000001..., the next one above it 0.10000000894...
    low, high = np.float32(0.1), np.nextafter(np.float32(0.1), np.float32(1))
    store(con, {"x": pa.array([low, high] * 5, pa.float32())}, [0, 1] * 5)
    assert checked(con)["fidelity"] == 1


def test_whole_numbers_beyond_doubles_are_compared_as_doubles(
    con: duckdb.DuckDBPyConnection,
) -> None:
    big = 2**53
    values = [big - 1, big, big + 1, big + 2, big + 3, big + 4]
    store(con, {"x": pa.array(values)}, [0, 0, 0, 1, 1, 1])
    assert checked(con)["fidelity"] == 1  # 2^53 + 1 reads as 2^53


def test_decimals_of_a_sum_are_compared_exactly(con: duckdb.DuckDBPyConnection) -> None:
    rng = random.Random(1)
    cents = [rng.randint(0, 10**7) for _ in range(300)]
    labels = [int(x > 12_345) + int(x > 6 * 10**6) for x in cents]
    spent = pa.array([Decimal(x) / 100 for x in cents], pa.decimal128(38, 2))
    store(con, {"spent": spent}, labels)
    answer = checked(con)
    assert "cast(" not in answer["case_expression"]
    assert answer["fidelity"] == 1


def test_keywords_are_quoted(con: duckdb.DuckDBPyConnection) -> None:
    """Every word that DuckDB, or SQL elsewhere, has a use for reads as a column."""
    words = con.execute("select distinct keyword_name from duckdb_keywords()").fetchall()
    names = sorted({word for (word,) in words} | tree_text.KEYWORDS)
    assert len(names) > 400
    con.execute(
        "create or replace temp table words as select "
        + ", ".join(f'{i} as "{name}"' for i, name in enumerate(names))
    )
    written = [tree_text.identifier(name) for name in names]
    # each one where a condition may have it
    tried = ", ".join(
        f"case when {name} <= {i} and coalesce({name}, 0) > {i - 1} then {i} else -1 end"
        for i, name in enumerate(written)
    )
    assert con.execute(f"select {tried} from words").fetchall() == [tuple(range(len(names)))]
    con.execute("drop table words")


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_any_name_and_text_reads_back(name: str) -> None:
    with duckdb.connect() as plain:
        found = plain.sql(
            f"select {tree_text.text(name)} as said, {tree_text.identifier(name)} "
            f"from (select 1) as r ({tree_text.identifier(name)})"
        )
        assert found.columns[1] == name
        assert found.fetchall() == [(name, 1)]


# --- round thresholds ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.2, 1.9, "1.5"),  # 1.5 and 1.6 are as near to 1.55: the smaller one
        (1199.99, 1203.4721, "1200"),
        (0.123, 0.2, "0.16"),  # 0.2 is too high, the middle is 0.1615
        (0.123, 0.21, "0.2"),
        (3.0, 4.0, "3"),  # whole between whole numbers
        (0.0, 1.0, "0"),
        (-1.0, 0.0, "-1"),
        (0.0, 5.0, "2"),
        (10.0, 12.0, "10"),
        (999.0, 1001.0, "1000"),
        (0.0, 0.3, "0.1"),
        (0.0, 0.5, "0.2"),
        (-0.3, 0.0, "-0.1"),
        (-5.5, 3.0, "0"),
        (-1.9, -1.2, "-1.5"),
        (-1203.5, -1199.9, "-1200"),
        (9.5, 10.5, "10"),
        (99.96, 100.04, "100"),
        (1e-7, 3e-7, "2E-7"),
        (5e-324, 1e-323, "5E-324"),
        (1e17, 3e17, "2E+17"),
        (1e300, 1.7e308, "9E+307"),
        (-1.7e308, 1.7e308, "0"),
        (0.1, 0.10000000000000002, "0.1"),
        (1.0, 1.0000000000000002, "1"),
        (0.30000000000000004, 0.3000000000000001, "0.30000000000000004"),
        (9007199254740992.0, 9007199254740994.0, "9007199254740992"),
    ],
)
def test_the_roundest_number_of_a_gap(low: float, high: float, expected: str) -> None:
    found = tree_text.roundest(low, high)
    assert found == Decimal(expected)
    assert low <= float(found) < high


SIMPLE = st.decimals(-(10**4), 10**4, places=3).map(float)
FINITE = st.floats(allow_nan=False, allow_infinity=False).map(lambda x: x + 0.0)


@settings(deadline=None)
@given(SIMPLE, SIMPLE)
@example(0.001, 0.002)
def test_the_roundest_number_by_trying_all(low: float, high: float) -> None:
    if low >= high:
        return
    found = tree_text.roundest(low, high)
    if low < 0 < high:
        assert found == 0
        return
    lowest, highest, middle = Decimal(repr(low)), Decimal(repr(high)), None
    is_whole = low.is_integer() and high.is_integer()
    middle = (lowest + highest) / 2
    for n_digits in range(1, 9):
        multiples = (
            Decimal(sign * whole).scaleb(exponent)
            for sign in (-1, 1)
            for exponent in range(-8, 5)
            for whole in range(10 ** (n_digits - 1), 10**n_digits)
        ) if n_digits <= 2 else iter(())  # fmt: skip
        within = [x for x in multiples if lowest <= x < highest and not (is_whole and x % 1)]
        if n_digits == 1 and is_whole and low == 0:
            within.append(Decimal(0))
        if within:
            assert found == min(within, key=lambda x: (abs(x - middle), abs(x)))
            return
    assert len(found.normalize().as_tuple().digits) > 2


@settings(deadline=None)
@given(FINITE, FINITE)
def test_a_threshold_is_in_its_gap_and_reads_back_in_sql(low: float, high: float) -> None:
    if low >= high:
        return
    found = tree_text.roundest(low, high)
    assert low <= float(found) < high
    with duckdb.connect() as plain:
        written = tree_text.literal(found)
        assert plain.execute(
            f"select low <= {written}, high > {written}, ({written})::double "
            "from (select $1::double as low, $2::double as high)", [low, high]
        ).fetchall() == [(True, True, float(found))]  # fmt: skip


def test_a_value_near_the_median() -> None:
    assert tree_text.near_median(np.array([])) == 0
    assert tree_text.near_median(np.array([0.1234])) == Decimal("0.1234")
    assert tree_text.near_median(np.array([1.0, 2.0])) == 1
    assert tree_text.near_median(np.array([1.0, 3.0, 50.0])) == 3
    # 0 to 101 by 1.01: 5 below and above the 51st, 45.45 and 55.55
    assert tree_text.near_median(np.arange(101) * 1.01) == 50


# --- wrong usage ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (", max_depth := 0", "max_depth must be between 1 and 10, got 0"),
        (", max_depth := 11", "max_depth must be between 1 and 10, got 11"),
        (", max_depth := null", "max_depth must be between 1 and 10, got None"),
        (", include := ['z']", r"include must name numeric columns of the features, got \[z\]"),
        (", exclude := ['z']", r"exclude must name columns of the features, got \[z\]"),
        (", exclude := ['x']", "features must have a column with values, got 0 of them"),
    ],
)
def test_wrong_options(con: duckdb.DuckDBPyConnection, options: str, message: str) -> None:
    store(con, {"x": pa.array([1.0, 2.0])}, [0, 1])
    assert decide(con, ", max_depth := 1")["fidelity"] == 1
    with pytest.raises(duckdb.InvalidInputException, match=message):
        decide(con, options)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("insert into segments values (0, 1)", "hold each customer once, got 1 rows too many"),
        ("insert into features values (1, 5)", "hold each customer once, got 1 rows too many"),
        ("delete from segments", "segments must hold customers of the features, got 0 of them"),
        ("update segments set segment = null", "must hold customers of the features, got 0"),
        ("delete from features", "features must have a column with values, got 0 of them"),
        ("update features set x = 'inf'", "features must be finite"),
        ("update features set x = 'nan'", "features must be finite"),
        (
            "alter table segments alter segment type double using segment + 0.5",
            "segments must be whole numbers, got 1.5",
        ),
        (
            "alter table segments alter segment type varchar using 'gold'",
            "segments must be whole numbers, got gold",
        ),
    ],
)
def test_wrong_tables(con: duckdb.DuckDBPyConnection, statement: str, message: str) -> None:
    store(con, {"x": pa.array([1.0, 2.0])}, [0, 1])
    con.execute(statement)
    with pytest.raises(duckdb.InvalidInputException, match=message):
        decide(con)


def test_segments_of_other_whole_types(con: duckdb.DuckDBPyConnection) -> None:
    for kind in ("utinyint", "bigint", "hugeint", "double"):
        store(con, {"x": pa.array([1.0, 2.0])}, [0, 1])
        con.execute(f"alter table segments alter segment type {kind}")
        assert checked(con)["fidelity"] == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("[{'numbers': [1.0], 'segment': null}], [{'name': 'x', 'department': null, 'type': "
         "'DOUBLE', 'in_words': null}], 4", "segments must not be NULL, got 1 NULL values"),
        ("[{'numbers': ['nan'::double], 'segment': 1}], [{'name': 'x', 'department': null, "
         "'type': 'DOUBLE', 'in_words': null}], 4", "features must be finite or NULL, got nan"),
        ("[{'numbers': ['inf'::double], 'segment': 1}], [{'name': 'x', 'department': null, "
         "'type': 'DOUBLE', 'in_words': null}], 4", "features must be finite, got inf"),
        ("[{'numbers': [1.0], 'segment': 1}], [], 4", "columns must be one per feature, got 0"),
        ("[], [], 4", "features must have at least one row and one value, got 0 x 0"),
        ("null, [], 4", "segments must hold a customer of the features, got none"),
    ],
)  # fmt: skip
def test_wrong_calls_of_the_function(
    con: duckdb.DuckDBPyConnection, call: str, message: str
) -> None:
    with pytest.raises(duckdb.InvalidInputException, match=message):
        con.execute(f"select custseg_decision_tree({call})").fetchall()


def test_wrong_arguments_of_the_kernel() -> None:
    column = {"name": "x", "department": None, "type": "DOUBLE"}
    with pytest.raises(ValueError, match="max_leaves must be between 1 and 1026, got 0"):
        tree.surrogate_tree(np.zeros((1, 1)), np.zeros(1, dtype=np.int64), [column], max_leaves=0)
    points = np.arange(4.0)[:, None]
    segments = np.arange(4)
    for max_leaves in (1, 2, 3):
        answer = tree.surrogate_tree(points, segments, [column], max_leaves=max_leaves)
        assert answer["n_leaves"] == max_leaves
        assert answer["fidelity"] == max_leaves / 4
