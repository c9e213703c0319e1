"""What the segments mean: explanations, labels, preferences, drift."""

import math
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

import custseg_duck

QUICK: dict[str, Any] = {"segment_rules": False, "n_recommendations": 0, "max_length": 1}


def rows(con: duckdb.DuckDBPyConnection, query: str, *values: Any) -> list[tuple[Any, ...]]:
    return con.execute(query, list(values)).fetchall()


@pytest.mark.parametrize(
    ("algorithm", "covariance_type"), [("kmeans", "full"), ("gmm", "full"), ("gmm", "diag")]
)
def test_past_the_border_a_customer_is_in_the_other_segment(
    shop: duckdb.DuckDBPyConnection, algorithm: str, covariance_type: str
) -> None:
    custseg_duck.run(
        "order_lines", con=shop, k=3, algorithm=algorithm, covariance_type=covariance_type,
        include=["monetary", "recency_days", "orders_per_30d"], decision_rules=False, **QUICK,
    )  # fmt: skip
    n_borders = 0
    for (customer,) in rows(shop, "select customer_id from custseg.segments order by 1 limit 20"):
        for feature, value, segment, border, moves_to in rows(
            shop,
            "select feature, value, segment, moves_at, moves_to from custseg.explain($1) "
            "where moves_at is not null",
            customer,
        ):
            step = 1e-6 * max(abs(border - value), abs(border), 1e-3)
            side = math.copysign(step, border - value)
            for moved, expected in ((border + side, moves_to), (border - side, segment)):
                found = rows(
                    shop,
                    "with changed as (select * replace ("
                    + ", ".join(
                        f"if('{name}' = $1, $2::double, {name}::double) as {name}"
                        for name in ("monetary", "recency_days", "orders_per_30d")
                    )
                    + ") from custseg.customer_features where customer_id = $3) "
                    "select segment from custseg.score('changed')",
                    feature, moved, customer,
                )  # fmt: skip
                assert found == [(expected,)], (customer, feature, moved)
            n_borders += 1
    assert n_borders > 10


def test_contributions_are_the_difference_to_the_average(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=3, decision_rules=False, **QUICK)
    ((model,),) = rows(shop, "select model from custseg.models")
    centers = np.array([component["center"] for component in model["components"]])
    for customer, vector in rows(
        shop,
        "select customer_id, features from custseg.score('custseg.customer_features') "
        "order by 1 limit 10",
    ):
        x = np.array(vector)
        squares = ((x - centers) ** 2).sum(axis=1)
        own, second = np.argsort(squares)[:2]
        margin = squares[second] - squares[own]
        found = rows(
            shop,
            "select feature, department, contribution, segment, second_segment, rank, z_score "
            "from custseg.explain($1)",
            customer,
        )
        assert {row[3:5] for row in found} == {(own, second)}
        by_name = {row[:2]: row for row in found}
        for j, feature in enumerate(model["features"]):
            averaged = x.copy()
            averaged[j] = 0
            rest = ((averaged - centers) ** 2).sum(axis=1)
            row = by_name[feature["name"], feature["department"]]
            assert row[2] == pytest.approx(margin - (rest[second] - rest[own]), abs=1e-9)
            assert row[6] == pytest.approx(x[j] / (feature["weight"] or 1))
        sizes = [abs(row[2]) for row in sorted(found, key=lambda row: row[5])]
        assert sizes == sorted(sizes, reverse=True)


def test_an_explanation_reads_as_a_sentence(complete_journey: Path) -> None:
    with custseg_duck.connect() as con:
        con.execute(f"attach '{complete_journey}' as file (read_only)")
        con.execute(
            "create table order_lines as from file.main.order_lines where customer_id < 400"
        )
        result = custseg_duck.run("order_lines", con=con, k=4, **QUICK)
        reasons = result.explain(1).project("reason, change").fetchall()
        assert any("orders per 30 days" in reason for reason, _ in reasons)
        assert all(": speaks for " in reason for reason, _ in reasons)
        changes = [change for _, change in reasons if change]
        assert changes
        assert all("it would be in segment" in change for change in changes)
        assert result.explain(-1).fetchall() == []
        described = result.descriptions.fetchall()
        assert [segment for segment, *_ in described] == [0, 1, 2, 3]
        assert all("% of revenue): " in text for *_, text in described)
        with pytest.raises(duckdb.InvalidInputException, match="stored ones"):
            rows(con, "from custseg.explain(1, of_run := 'nope')")


CENTROIDS = """
    create or replace table centroids as
    select 'r' as run_name, segment, feature, department, 1.5 as value, 1.0 as population_mean,
        z_score
    from (values
        (0, 'orders_per_30d', null, 1.2), (0, 'frequency', null, 1.1),
        (0, 'monetary', null, 0.9), (0, 'department_share', 'PRODUCE', 0.8),
        (0, 'recency_days', null, -0.6),
        (1, 'recency_days', null, 0.74), (1, 'department_share', 'DELI', -2.0),
        (2, 'web_visits', null, -0.26), (2, 'monetary', null, 0.1),
        (3, 'monetary', null, 0.01)
    ) as known (segment, feature, department, z_score)
"""


def test_a_label_says_what_sets_a_segment_apart(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(CENTROIDS)
    query = "select segment, label from custseg.suggested_labels('centroids', n := {})"
    assert rows(con, query.format(3)) == [
        # of frequency and orders_per_30d one word; the largest three, in the order of a sentence
        (0, "frequent, high spend, produce"),
        # little of a department says nothing
        (1, "lapsed"),
        # the only one of 0.3, rounded, under its own name
        (2, "low web visits"),
        (3, "average"),
    ]
    assert rows(con, query.format(1))[0] == (0, "frequent")
    con.execute("update centroids set z_score = z_score + 0.01")
    assert rows(con, query.format(3))[0] == (0, "frequent, high spend, produce")
    with pytest.raises(duckdb.InvalidInputException, match="n must be at least 1, got 0"):
        rows(con, query.format(0))


def test_labels_differ_within_a_run(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "create table centroids as select 'r' as run_name, segment, feature, null as department, "
        "1.0 as value, 1.0 as population_mean, z as z_score from (values "
        "(0, 'monetary', 2.0), (0, 'recency_days', 0.4), (1, 'monetary', 2.0), "
        "(1, 'frequency', 0.4), (2, 'monetary', 1.0), (3, 'monetary', 1.0)) as t (segment, "
        "feature, z)"
    )
    assert rows(con, "select label from custseg.suggested_labels('centroids', n := 1)") == [
        ("lapsed, high spend",),
        ("frequent, high spend",),
        ("high spend (segment 2)",),
        ("high spend (segment 3)",),
    ]


def test_every_feature_has_words(shop: duckdb.DuckDBPyConnection) -> None:
    numeric = {
        name
        for name, kind, *_ in rows(shop, "describe from custseg.customer_features('order_lines')")
        if kind in ("INTEGER", "BIGINT", "DOUBLE") and name != "customer_id"
    }
    known = {name for (name,) in rows(shop, "select feature from custseg.feature_words()")}
    assert numeric == known


@pytest.mark.parametrize(
    ("value", "feature", "expected"),
    [
        (1234567.891, "monetary", "1,234,568"), (9.123, "orders", "9.12"), (12.345, "x", "12.3"),
        (5.0000001, "x", "5"), (0.1234, "reorder_share", "12.3%"), (0.00123, "x", "1.2e-03"),
        (0.0, "x", "0"), (-250.4, "x", "-250"), (1e20, "x", "1.00e+20"), (None, "x", None),
        (0.0, "night_share", "0%"),
    ],
)  # fmt: skip
def test_numbers_are_readable(
    con: duckdb.DuckDBPyConnection, value: float | None, feature: str, expected: str | None
) -> None:
    assert rows(con, "select custseg.readable($1::double, $2)", value, feature) == [(expected,)]


def test_preferences_are_what_a_count_says(con: duckdb.DuckDBPyConnection) -> None:
    rng = random.Random(4)
    lines = [
        (c, c * 10 + rng.randrange(3), rng.randrange(6), f"D{rng.randrange(3)}' --")
        for c in range(40)
        for _ in range(rng.randint(1, 30))
    ]
    con.execute(
        "create table lines (customer_id int, order_id int, product_id int, department text)"
    )
    con.executemany("insert into lines values (?, ?, ?, ?)", lines)
    con.execute(
        "create table segments as select i as customer_id, i % 3 as segment from range(40) r(i)"
    )
    counts: dict[tuple[int, str, str], int] = defaultdict(int)
    customers: dict[tuple[int, str, str], set[int]] = defaultdict(set)
    for customer, _, product, department in lines:
        for kind, value in (("item", str(product)), ("department", department)):
            counts[customer % 3, kind, value] += 1
            customers[customer % 3, kind, value].add(customer)
    found = rows(con, "from custseg.segment_preferences('lines', 'segments')")
    assert len(found) == len(counts)
    for segment, kind, value, n, n_customers, share, all_share, index, *ranks, g2, name in found:
        here = sum(v for (s, k, _), v in counts.items() if (s, k) == (segment, kind))
        of_value = sum(v for (_, k, x), v in counts.items() if (k, x) == (kind, value))
        total = sum(v for (_, k, _), v in counts.items() if k == kind)
        assert (n, n_customers) == (
            counts[segment, kind, value], len(customers[segment, kind, value])
        )  # fmt: skip
        assert (share, all_share) == pytest.approx((n / here, of_value / total))
        assert index == pytest.approx(n / here / (of_value / total))
        observed = [n, of_value - n, here - n, total - here - of_value + n]
        margins = [
            (here, of_value), (total - here, of_value), (here, total - of_value),
            (total - here, total - of_value),
        ]  # fmt: skip
        expected = 2 * sum(
            o * math.log(o * total / (a * b))
            for o, (a, b) in zip(observed, margins, strict=True)
            if o
        )
        assert g2 == pytest.approx(max(expected, 0), abs=1e-9)
        assert (ranks[1] is not None) == (share > all_share and n_customers >= 5)
        assert name is None
    for segment in range(3):
        shares = [row[5] for row in found if row[:2] == (segment, "item")]
        assert shares == sorted(shares, reverse=True)
    con.execute("create table two_runs as from segments union all from segments")
    with pytest.raises(duckdb.InvalidInputException, match="must hold each customer once"):
        rows(con, "from custseg.segment_preferences('lines', 'two_runs')")
    few = rows(con, "from custseg.segment_preferences('lines', 'segments', n := 1)")
    assert all(1 in row[8:10] for row in few)


def test_times_are_preferred_only_where_there_are_clocks(shop: duckdb.DuckDBPyConnection) -> None:
    query = (
        "select kind, sum(n_lines)::int from custseg.segment_preferences('{}', 'segments', "
        "n := 100) group by 1 order by 1"
    )
    shop.execute(
        "create table segments as select distinct customer_id, 0 as segment from order_lines"
    )
    assert rows(shop, query.format("order_lines")) == [
        ("daypart", 300), ("department", 900), ("item", 900), ("weekday", 300)
    ]  # fmt: skip
    shop.execute(
        "create table days as select * replace (ordered_at::date as ordered_at) from order_lines"
    )
    assert [kind for kind, _ in rows(shop, query.format("days"))] == [
        "department",
        "item",
        "weekday",
    ]


def _psi(before: list[int], after: list[int]) -> float:
    n_bins = len(before)
    shares = [
        [(count + 0.5) / (sum(counts) + 0.5 * n_bins) for count in counts]
        for counts in (before, after)
    ]
    return sum((b - a) * math.log(b / a) for a, b in zip(*shares, strict=True))


def test_drift_is_the_stability_index(con: duckdb.DuckDBPyConnection) -> None:
    rng = np.random.default_rng(2)
    values = {"b": rng.normal(size=1000), "a": rng.normal(0.5, 1, size=700)}
    con.execute("create table b (customer_id int, x double, kind text, segment int, gone int)")
    con.execute("create table a (customer_id int, x double, kind text, segment int, fresh int)")
    for table, x in values.items():
        con.executemany(
            f"insert into {table} values (?, ?, ?, ?, 1)",
            [
                (
                    i,
                    None if i % 10 == 0 else float(v),
                    "pq"[i % 2] if i % 3 else "new" * (table == "a"),
                    i % 4,
                )
                for i, v in enumerate(x)
            ],
        )  # fmt: skip
    found = {row[0]: row for row in rows(con, "from custseg.feature_drift('b', 'a')")}
    assert set(found) == {"x", "kind", "segment", "gone", "fresh"}
    assert (found["gone"][4], found["fresh"][4]) == ("missing", "new")
    known = {name: [v for i, v in enumerate(x) if i % 10] for name, x in values.items()}
    ordered = sorted(known["b"])
    edges = [ordered[math.ceil(len(ordered) * i / 10) - 1] for i in range(1, 10)]

    def counts(table: str) -> list[int]:
        bins = [0] * 10
        for v in known[table]:
            bins[sum(edge < v for edge in edges)] += 1
        return [*bins, len(values[table]) - len(known[table])]

    assert found["x"][3] == pytest.approx(_psi(counts("b"), counts("a")))
    # within chance: the same quarters
    assert found["segment"][3] == pytest.approx(_psi([250] * 4, [175] * 4), abs=1e-12)
    assert (found["segment"][4], found["segment"][6]) == ("stable", False)
    assert found["x"][6]
    assert found["x"][4] == ("moderate" if found["x"][3] < 0.25 else "large")
    again = {row[0]: row for row in rows(con, "from custseg.feature_drift('b', 'b')")}
    assert all(row[3] == 0 for row in again.values())
    con.execute("create table stored as from custseg.feature_histograms('b')")
    assert rows(con, "from custseg.drift_of_histograms('stored', 'a')") == list(found.values())


def test_by_chance_one_in_twenty_is_above(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "create table b as select i as customer_id, "
        + ", ".join(f"hash(i, {j})::double as x{j}" for j in range(120))
        + " from range(2000) as r (i)"
    )
    con.execute(
        "create table a as select i as customer_id, "
        + ", ".join(f"hash(i, {j}, 'after')::double as x{j}" for j in range(120))
        + " from range(1500) as r (i)"
    )
    ((n_significant,),) = rows(
        con, "select count(*) filter (is_significant) from custseg.feature_drift('b', 'a')"
    )
    assert 0 < n_significant < 16  # 6 expected; the chance of 16 or more is below 1 in 1,000


def test_drift_of_odd_tables(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table one as select 1 as customer_id, 5.0 as x")
    con.execute("create table none as from one where false")
    con.execute("create table less as select 1 as customer_id, 4.0 as x")
    ((psi, level),) = rows(con, "select psi, level from custseg.feature_drift('one', 'one')")
    assert (psi, level) == (0, "stable")
    # below a value that all shared is another bin
    assert rows(con, "select psi > 0 from custseg.feature_drift('one', 'less')") == [(True,)]
    assert rows(con, "select level from custseg.feature_drift('none', 'one')") == [("new",)]
    con.execute("create table wild as select 1 as customer_id, 'inf'::double as x")
    with pytest.raises(duckdb.InvalidInputException, match="features must be finite"):
        rows(con, "from custseg.feature_drift('wild', 'one')")
    with pytest.raises(duckdb.InvalidInputException, match="n_bins must be a whole number"):
        rows(con, "from custseg.feature_drift('one', 'one', n_bins := 1)")


def test_who_moved_in_words_of_sql(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "create table b as from (values (1, 'a'), (2, 'a'), (3, 'b'), (4, null)) "
        "t (customer_id, segment)"
    )
    con.execute(
        "create table a as from (values (1, 'a'), (2, 'b'), (4, 'b'), (5, 'c')) "
        "t (customer_id, segment)"
    )
    assert rows(con, "from custseg.segment_migration('b', 'a')") == [
        # from, to, customers, share of from, share of to, share of all five, stays
        ("a", "a", 1, 0.5, 1.0, 0.2, True),
        ("a", "b", 1, 0.5, 0.5, 0.2, False),
        ("b", None, 1, 1.0, None, 0.2, False),
        (None, "b", 1, None, 0.5, 0.2, False),
        (None, "c", 1, None, 1.0, 0.2, False),
    ]
    con.execute("insert into a values (1, 'b')")
    with pytest.raises(
        duckdb.InvalidInputException, match="segments_after must hold each customer"
    ):
        rows(con, "from custseg.segment_migration('b', 'a')")


def test_the_command_explains_and_lists(shop: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from custseg_duck.cli import main

    path = tmp_path / "shop.duckdb"
    shop.execute(f"attach '{path}' as file; create table file.order_lines as from order_lines")
    shop.execute("detach file")
    with custseg_duck.connect(path) as con:
        custseg_duck.run("order_lines", con=con, k=2, **QUICK)

    def call(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, [*arguments, "-d", str(path)])
        return done.exit_code, done.output

    code, text = call("explain", "7")
    assert code == 0
    assert "Customer 7 is in segment" in text
    assert call("explain", "zork") == (
        1, "Error: customer_id must be of the run 'default', got zork [no-customer]\n"
    )  # fmt: skip
    assert "default" in call("models", "list")[1]
    assert call("models", "export", str(tmp_path / "m.json"))[0] == 0
    assert call("models", "import", str(tmp_path / "m.json"), "--name", "copy") == (
        0, "Stored as copy version 1\n"
    )  # fmt: skip
    assert call("models", "drop", "copy") == (0, "1 dropped\n")
    code, text = call("targets", "0", "--to", str(tmp_path / "t.csv"))
    assert (code, text.split(" ", 1)[1]) == (0, f"customers written to {tmp_path / 't.csv'}\n")
    assert call("targets", "9", "--to", str(tmp_path / "t.csv"))[0] == 1


def test_a_share_is_of_the_sum_over_all(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "create table features as from (values (1, 2.0, 1.0), (2, 4.0, -1.0), (3, 6.0, 3.0), "
        "(4, null, 0.0)) as t (customer_id, spend, balance)"
    )
    con.execute(
        "create table segments as select customer_id, customer_id % 2 as segment from features"
    )
    assert rows(
        con,
        "select feature, segment, share from custseg.segment_profiles('features', 'segments') "
        "order by all",
    ) == [
        ("balance", 0, None), ("balance", 1, None),
        # 4 and (2 + 6) of 12
        ("spend", 0, pytest.approx(4 / 12)), ("spend", 1, pytest.approx(8 / 12)),
    ]  # fmt: skip
    con.execute("update features set spend = 0")
    assert rows(
        con, "select distinct share from custseg.segment_profiles('features', 'segments')"
    ) == [(None,)]
