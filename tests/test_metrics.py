"""Measures of a clustering against scikit-learn, against numpy, and worked by hand."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import test_hazards
from sklearn.datasets import make_blobs
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    pairwise_distances,
    silhouette_samples,
)

import custseg_duck
from custseg_duck import catalog

Rows = list[tuple[Any, ...]]

FILES = (
    "segment_members", "segment_means", "silhouettes_of_means", "silhouettes",
    "exact_silhouettes", "metrics_of_members", "cluster_metrics", "model_metrics", "outliers",
)  # fmt: skip
CTES = [
    name
    for name in test_hazards.CTES
    if any(f"{name} as " in catalog.statement(f"insight/{file}") for file in FILES)
]
CALLS = (
    "custseg.silhouettes('vectors', 'segments')",
    "custseg.exact_silhouettes('vectors', 'segments', sample_size := 150)",
    "custseg.cluster_metrics('vectors', 'segments')",
    "custseg.outliers('distances', contamination := 0.05)",
)


@pytest.fixture(scope="module")
def shared() -> Iterator[duckdb.DuckDBPyConnection]:
    """One database for all, as the tests are many."""
    with custseg_duck.connect() as connection:
        yield connection


@pytest.fixture
def con(shared: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database without tables of the tests before."""
    yield shared
    for name in ("vectors", "segments", "distances", "models"):
        shared.execute(f"drop table if exists {name}")


def store(con: duckdb.DuckDBPyConnection, points: Any, labels: Any, ids: Any = None) -> None:
    """The tables vectors and segments; None among the labels is NULL."""
    ids = list(range(len(points))) if ids is None else list(ids)
    features = pa.array([[float(x) for x in p] for p in points], pa.list_(pa.float64()))
    segments = pa.array([None if x is None else int(x) for x in labels], pa.int32())
    con.register("given_vectors", pa.table({"customer_id": ids, "features": features}))
    con.register("given_segments", pa.table({"customer_id": ids, "segment": segments}))
    con.execute("create or replace table vectors as from given_vectors")
    con.execute("create or replace table segments as from given_segments")


def metrics(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    found = con.sql("from custseg.cluster_metrics('vectors', 'segments')")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def silhouettes(con: duckdb.DuckDBPyConnection, call: str = CALLS[0]) -> Rows:
    return con.execute(f"from {call} order by customer_id").fetchall()


def random_clustering(seed: int) -> tuple[Any, Any]:
    """Points on a fine grid, some alike, the first of k segments with one only, none empty."""
    rng = np.random.default_rng(seed)
    k, n_features = int(rng.integers(2, 7)), int(rng.integers(1, 6))
    n = int(rng.integers(4 * k, 300))
    points, _ = make_blobs(n, n_features, centers=k, cluster_std=2.0, random_state=seed)
    points = np.round(points * 2**16) / 2**16  # so that adding 10^6 loses nothing
    points[: n // 8] = points[0]
    labels = rng.permutation(np.append(np.zeros(1), 1 + np.arange(n - 1) % (k - 1)).astype(int))
    return points, labels


# --- worked by hand ------------------------------------------------------------------------------


def test_worked_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    store(con, [[0], [2], [10]], [0, 0, 1], ids=["a", "b", "c"])
    # means 1 and 10. a: distances 1 and 10, (10 - 1) / 10. b: 1 and 8, (8 - 1) / 8. c: alone
    assert silhouettes(con) == [
        ("a", 0, 0.9, 1, 1.0, 10.0),
        ("b", 0, 0.875, 1, 1.0, 8.0),
        ("c", 1, 0.0, 0, 0.0, 9.0),
    ]
    # a: 2 from b, 10 from c, (10 - 2) / 10. b: 2 and 8, (8 - 2) / 8. c: alone, (10 + 8) / 2
    assert silhouettes(con, "custseg.exact_silhouettes('vectors', 'segments')") == [
        ("a", 0, 0.8, 1, 2.0, 10.0),
        ("b", 0, 0.75, 1, 2.0, 8.0),
        ("c", 1, 0.0, 0, None, 9.0),
    ]
    overall, first, second = (tuple(row.values()) for row in metrics(con))
    # inertia 1 + 1 + 0. Davies-Bouldin (1 + 0) / 9 from both sides. Mean of all 4: between
    # segments 2 * 3^2 + 1 * 6^2 = 54; Calinski-Harabasz (54 / (2 - 1)) / (2 / (3 - 2)) = 27
    expected = (3, 1, 2, 1.775 / 3, 1 / 9, 27, 2 / 3, 1)
    assert overall == (None, *(pytest.approx(x, rel=1e-13) for x in expected))
    assert first == (0, 2, pytest.approx(2 / 3), 2, pytest.approx(0.8875), 1 / 9, None, 1, 1)
    assert second == (1, 1, pytest.approx(1 / 3), 0, 0, 1 / 9, None, 0, 0)


def test_three_segments_have_each_their_worst_neighbour(con: duckdb.DuckDBPyConnection) -> None:
    store(con, [[0], [2], [10], [14], [30], [36]], [0, 0, 1, 1, 2, 2])
    # means 1, 12, 33, mean distances 1, 2, 3: (1 + 2) / 11, (1 + 3) / 32, (2 + 3) / 21
    found = [row["davies_bouldin"] for row in metrics(con)]
    assert found == pytest.approx([(3 / 11 + 3 / 11 + 5 / 21) / 3, 3 / 11, 3 / 11, 5 / 21])


# --- oracles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0, 1e6])
@pytest.mark.parametrize("seed", range(30))
def test_measures_agree_with_scikit_learn(
    con: duckdb.DuckDBPyConnection, seed: int, offset: float
) -> None:
    points, labels = random_clustering(seed)
    store(con, points + offset, labels)
    overall, *by_segment = metrics(con)
    k = labels.max() + 1
    # scikit-learn itself loses digits far from the origin, so it gets the points near it
    assert overall["davies_bouldin"] == pytest.approx(
        davies_bouldin_score(points, labels), rel=1e-9
    )
    assert overall["calinski_harabasz"] == pytest.approx(
        calinski_harabasz_score(points, labels), rel=1e-9
    )
    means = np.array([points[labels == i].mean(axis=0) for i in range(k)])
    distances = np.linalg.norm(points[:, None] - means[None], axis=2)
    own = distances[np.arange(len(points)), labels]
    for row in (overall, *by_segment):
        chosen = slice(None) if row["segment"] is None else labels == row["segment"]
        assert row["n_customers"] == len(own[chosen])
        assert row["customer_share"] == len(own[chosen]) / len(own)
        assert row["inertia"] == pytest.approx((own[chosen] ** 2).sum(), rel=1e-9)
        assert row["mean_distance"] == pytest.approx(own[chosen].mean(), rel=1e-9)
        assert row["max_distance"] == pytest.approx(own[chosen].max(), rel=1e-9)

    others = distances.copy()
    others[np.arange(len(points)), labels] = np.inf
    nearest = others.min(axis=1)
    expected = np.where(
        np.bincount(labels)[labels] == 1, 0, (nearest - own) / np.maximum(nearest, own)
    )
    _, segments, found, second, near, far = zip(*silhouettes(con), strict=True)
    assert list(segments) == labels.tolist()
    assert list(second) == others.argmin(axis=1).tolist()
    # far from the origin a point has fewer digits, of which a small distance may be made
    digits = 4 * offset * np.finfo(float).eps / np.maximum(nearest, own)
    assert (np.abs(np.subtract(found, expected)) <= 1e-9 + digits).all()
    np.testing.assert_allclose(near, own, rtol=0, atol=1e-9)
    np.testing.assert_allclose(far, nearest, rtol=0, atol=1e-9)
    assert overall["silhouette"] == pytest.approx(expected.mean(), abs=1e-9)
    for row in by_segment:
        mean = expected[labels == row["segment"]].mean()
        assert row["silhouette"] == pytest.approx(mean, abs=1e-9)


@pytest.mark.parametrize("sample_size", [60, 2000])
@pytest.mark.parametrize("seed", range(30))
def test_exact_silhouettes_agree_with_scikit_learn(
    con: duckdb.DuckDBPyConnection, seed: int, sample_size: int
) -> None:
    points, labels = random_clustering(seed)
    store(con, points, labels)
    call = f"custseg.exact_silhouettes('vectors', 'segments', sample_size := {sample_size})"
    found = silhouettes(con, call)
    sample = [row[0] for row in found]
    assert len(sample) == len(set(sample)) == min(sample_size, len(points))
    if len(set(labels[sample])) == 1:
        assert {row[2] for row in found} == {None}
        return
    # given the distances, as the fast formula of scikit-learn loses half the digits
    distances = np.linalg.norm(points[sample][:, None] - points[sample][None], axis=2)
    expected = silhouette_samples(distances, labels[sample], metric="precomputed")
    np.testing.assert_allclose([row[2] for row in found], expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(distances, pairwise_distances(points[sample]), atol=1e-5)


def test_simplified_and_exact_silhouettes_are_alike(con: duckdb.DuckDBPyConnection) -> None:
    points, labels = make_blobs(800, 5, centers=4, random_state=1)
    store(con, points, labels)
    ((difference,),) = con.execute(
        "select max(abs(a.silhouette - b.silhouette)) "
        f"from {CALLS[0]} as a join {CALLS[1]} as b using (customer_id)"
    ).fetchall()
    assert 0 < difference < 0.2


# --- edges ---------------------------------------------------------------------------------------


def test_without_customers_there_are_no_rows(con: duckdb.DuckDBPyConnection) -> None:
    store(con, [], [])
    con.execute("create table distances as select 1 as customer_id, 1 as segment, 1.0 as distance")
    con.execute("delete from distances")
    for call in CALLS:
        assert con.execute(f"from {call}").fetchall() == []


def test_one_customer(con: duckdb.DuckDBPyConnection) -> None:
    store(con, [[3, 4]], [7])
    assert silhouettes(con) == [(0, 7, None, None, 0.0, None)]
    assert silhouettes(con, CALLS[1]) == [(0, 7, None, None, None, None)]
    assert [tuple(row.values()) for row in metrics(con)] == [
        (None, 1, 1, 0, None, None, None, 0, 0),
        (7, 1, 1, 0, None, None, None, 0, 0),
    ]


def test_one_segment_has_no_neighbour(con: duckdb.DuckDBPyConnection) -> None:
    store(con, [[0], [4]], [0, 0])
    assert [row[2:5] for row in silhouettes(con)] == [(None, None, 2.0)] * 2
    assert [row[2:5] for row in silhouettes(con, CALLS[1])] == [(None, None, 4.0)] * 2
    assert [tuple(row.values()) for row in metrics(con)] == [
        (None, 2, 1, 8, None, None, None, 2, 2),
        (0, 2, 1, 8, None, None, None, 2, 2),
    ]


@pytest.mark.parametrize("offset", [0.0, 0.1, 1e6, -1e6])
def test_all_points_alike_leave_ratios_undefined(
    con: duckdb.DuckDBPyConnection, offset: float
) -> None:
    store(con, [[offset, 1 / 3]] * 6, [0, 0, 0, 1, 1, 2])
    for row in metrics(con):
        assert (row["inertia"], row["mean_distance"], row["max_distance"]) == (0, 0, 0)
        assert (row["davies_bouldin"], row["calinski_harabasz"]) == (None, None)
        assert row["silhouette"] == 0
    for call in CALLS[:2]:
        assert [row[2] for row in silhouettes(con, call)] == [0] * 6


def test_segments_of_one_have_no_inertia_to_divide_by(con: duckdb.DuckDBPyConnection) -> None:
    store(con, [[0], [1], [5]], [0, 1, 2])
    overall = metrics(con)[0]
    assert (overall["inertia"], overall["calinski_harabasz"]) == (0, None)
    assert (overall["davies_bouldin"], overall["silhouette"]) == (0, 0)  # 0 / 1, not 0 / 0


def test_means_that_coincide_are_not_told_apart(con: duckdb.DuckDBPyConnection) -> None:
    store(con, [[-1], [1], [-2], [2], [9], [11]], [0, 0, 1, 1, 2, 2])
    found = [row["davies_bouldin"] for row in metrics(con)]
    assert found == [None, None, None, pytest.approx((1 + 2) / 10)]
    assert metrics(con)[0]["calinski_harabasz"] is not None


def test_of_two_segments_as_near_the_lower_is_second(con: duckdb.DuckDBPyConnection) -> None:
    store(con, [[0], [0], [3], [-3]], [4, 4, 9, 2])
    for call in CALLS[:2]:
        assert [row[3] for row in silhouettes(con, call)] == [2, 2, 4, 4]


def test_who_lacks_a_segment_or_features_is_left_out(con: duckdb.DuckDBPyConnection) -> None:
    store(con, [[0], [2], [10], [500], [600]], [0, 0, 1, None, 1])
    con.execute("update vectors set features = null where customer_id = 4")
    con.execute("insert into vectors values (77, [1e9]), (null, [1e9])")
    con.execute("insert into segments values (88, 5), (null, 5)")
    assert [row[0] for row in silhouettes(con)] == [0, 1, 2]
    assert [row[0] for row in silhouettes(con, CALLS[1])] == [0, 1, 2]
    assert metrics(con)[0]["calinski_harabasz"] == 27


def test_segments_can_have_names(con: duckdb.DuckDBPyConnection) -> None:
    store(con, [[0], [2], [10]], [0, 0, 1])
    numbered = metrics(con)
    con.execute(
        "create or replace table segments as "
        "select customer_id, case segment when 0 then 'few' else 'many' end as segment "
        "from segments"
    )
    named = metrics(con)
    assert [row.pop("segment") for row in named] == [None, "few", "many"]
    assert [row.pop("segment") for row in numbered] == [None, 0, 1]
    assert named == numbered
    assert silhouettes(con)[0][1:4] == ("few", 0.9, "many")


def test_one_customer_far_away_costs_the_others_no_digits(con: duckdb.DuckDBPyConnection) -> None:
    points, labels = make_blobs(400, 3, centers=3, random_state=4)
    store(con, [*points, [1e9, 0, 0]], [*labels, 3])
    far = {row["segment"]: row["inertia"] for row in metrics(con)}
    store(con, points, labels)
    near = {row["segment"]: row["inertia"] for row in metrics(con)}
    assert [far[i] for i in range(3)] == [near[i] for i in range(3)]


def test_of_customers_alike_the_sample_takes_its_share(con: duckdb.DuckDBPyConnection) -> None:
    points = np.random.default_rng(0).normal(size=(1000, 2))
    points[:500] = 1.0
    store(con, points, np.arange(1000) % 2)
    found = silhouettes(con, "custseg.exact_silhouettes('vectors', 'segments', sample_size := 200)")
    assert 60 < sum(customer_id < 500 for customer_id, *_ in found) < 140


# --- outliers ------------------------------------------------------------------------------------


def store_distances(con: duckdb.DuckDBPyConnection, distances: list[float | None]) -> None:
    rows = {
        "customer_id": range(len(distances)),
        "segment": [0] * len(distances),
        "distance": pa.array(distances, pa.float64()),
    }
    con.register("given_distances", pa.table(rows))
    con.execute("create or replace table distances as from given_distances")


def outliers(con: duckdb.DuckDBPyConnection, contamination: object) -> Rows:
    return con.execute(
        f"from custseg.outliers('distances', contamination := {contamination})"
    ).fetchall()


def test_outliers_are_the_furthest(con: duckdb.DuckDBPyConnection) -> None:
    store_distances(con, [1, 9, 3, None, 9, 2, 8, 1, 1, 1, 1])
    assert outliers(con, 0.3) == [(1, 0, 9.0, 1), (4, 0, 9.0, 1), (6, 0, 8.0, 3)]
    assert outliers(con, 0.2) == [(1, 0, 9.0, 1), (4, 0, 9.0, 1)]
    assert outliers(con, 0.19) == []  # one of two that are as far
    assert outliers(con, 0.05) == outliers(con, 0) == []
    assert len(outliers(con, 0.5)) == 5
    assert con.execute("from custseg.outliers('distances')").fetchall() == []


def test_as_far_as_each_other_none_is_an_outlier(con: duckdb.DuckDBPyConnection) -> None:
    store_distances(con, [1.0] * 10)
    assert outliers(con, 0.5) == []


@pytest.mark.parametrize("percent", range(51))
def test_the_share_is_rounded_down_in_decimals(
    con: duckdb.DuckDBPyConnection, percent: int
) -> None:
    store_distances(con, [float(i) for i in range(100)])
    assert len(outliers(con, percent / 100)) == percent
    found = con.execute(
        "from custseg.outliers('distances', contamination := $share)", {"share": percent / 100}
    ).fetchall()
    assert len(found) == percent


# --- models --------------------------------------------------------------------------------------


def test_models_stand_side_by_side(con: duckdb.DuckDBPyConnection) -> None:
    points, _ = make_blobs(500, 3, centers=4, random_state=2, cluster_std=2.0)
    store(con, points, [0] * len(points))
    con.execute("insert into vectors values (1000, null)")
    fits = (
        f"select '{k} segments' as name, custseg.kmeans_fit(features, k := {k}) as model "
        "from vectors where features is not null"
        for k in (3, 4, 1)
    )
    con.execute(f"create table models as {' union all '.join(fits)}")
    found = con.sql("from custseg.model_metrics('vectors', 'models')")
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    assert [row["name"][0] + str(row["segment"] or "") for row in rows[:2]] == ["1", "1"]
    assert len(rows) == (1 + 1) + (1 + 3) + (1 + 4)
    for k in (1, 3, 4):
        ((model,),) = con.execute(
            f"select model from models where name = '{k} segments'"
        ).fetchall()
        con.execute(
            "create or replace table segments as "
            "select customer_id, custseg.assign(model, features) as segment "
            f"from vectors cross join models where name = '{k} segments'"
        )
        expected = metrics(con)
        own = [row for row in rows if row["name"] == f"{k} segments"]
        assert [{column: row[column] for column in expected[0]} for row in own] == expected
        assert own[0]["inertia"] == pytest.approx(model["inertia"], rel=1e-12)
        for row in own:
            assert (row["algorithm"], row["k"]) == ("kmeans", k)
            assert (row["n_iter"], row["converged"]) == (model["n_iter"], True)
            assert (row["log_likelihood"], row["bic"], row["aic"]) == (None, None, None)


@pytest.mark.parametrize("seed", range(3))
def test_mixtures_say_how_undecided_they_are(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    points, _ = make_blobs(400, 2, centers=3, random_state=seed, cluster_std=3.0)
    store(con, points, [0] * len(points))
    con.execute(
        "create table models as "
        "select 'mixture' as name, custseg.gmm_fit(features, k := 3) as model from vectors "
        "union all select 'one', custseg.gmm_fit(features, k := 1) from vectors "
        "union all select 'means', custseg.kmeans_fit(features, k := 3) from vectors"
    )
    found = con.execute(
        "select segment, mean_entropy, log_likelihood is not null, bic > aic "
        "from custseg.model_metrics('vectors', 'models') where name = 'mixture'"
    ).fetchall()
    rows = con.execute(
        "select custseg.probabilities(model, features) "
        "from vectors cross join models where name = 'mixture'"
    ).fetchall()
    shares = np.array([probabilities for (probabilities,) in rows])
    entropies = -np.sum(shares * np.log(np.maximum(shares, 1e-300)), axis=1)
    assert 0.01 < entropies.mean() < np.log(3)
    assigned = shares.argmax(axis=1)
    expected = [entropies.mean(), *(entropies[assigned == i].mean() for i in range(3))]
    assert [row[0] for row in found] == [None, 0, 1, 2]
    assert [row[1] for row in found] == pytest.approx(expected, abs=1e-11)
    assert {row[2:] for row in found} == {(True, True)}
    others = con.execute(
        "select distinct name, mean_entropy from custseg.model_metrics('vectors', 'models') "
        "where name <> 'mixture' order by all"
    ).fetchall()
    assert others == [("means", None), ("one", 0.0)]


def test_a_run_can_be_judged(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=3)
    shop.execute(
        "create table vectors as select customer_id, features "
        "from custseg.score('custseg.customer_features')"
    )
    found = shop.execute(
        "select n_customers, inertia, k "
        "from custseg.model_metrics('vectors', 'custseg.models') where segment is null"
    ).fetchall()
    inertia = shop.execute("select model.inertia from custseg.models").fetchall()[0][0]
    assert found == [(60, pytest.approx(inertia), 3)]
    assert len(shop.execute("from custseg.outliers('custseg.segments', 0.1)").fetchall()) <= 6


# --- the same bits -------------------------------------------------------------------------------


def clustering(n: int) -> tuple[Any, Any]:
    points, labels = make_blobs(n, 3, centers=5, random_state=3, cluster_std=3.0)
    points[: n // 10] = np.round(points[: n // 10])  # some are alike
    return points, labels


def every_answer(points: Any, labels: Any, ids: Any, threads: int) -> list[pa.Table]:
    with custseg_duck.connect(threads=threads) as con:
        store(con, points, labels, ids)
        con.execute(f"create table distances as from {CALLS[0]}")
        con.execute(
            "create temp table few as from vectors order by features limit 2000; "
            "create table models as select 'a' as name, "
            "custseg.kmeans_fit(features, k := 4) as model from few "
            "union all select 'b', custseg.gmm_fit(features, k := 3) from few"
        )
        calls = (*CALLS, "custseg.model_metrics('vectors', 'models')")
        return [con.sql(f"from {call} order by all").to_arrow_table() for call in calls]


def test_threads_and_row_order_change_no_bit() -> None:
    points, labels = clustering(300_000)  # three row groups, for as many threads
    ids = np.arange(len(points))
    expected = every_answer(points, labels, ids, threads=1)
    assert all(len(answer) for answer in expected)
    for threads in (1, 2, 4):
        order = np.random.default_rng(threads).permutation(len(points))
        assert every_answer(points[order], labels[order], ids[order], threads) == expected


def test_names_of_customers_change_no_bit() -> None:
    points, labels = clustering(3000)
    ids = np.random.default_rng(0).permutation(len(points))
    expected, found = (
        [[tuple(row.values()) for row in answer.to_pylist()] for answer in answers]
        for answers in (
            every_answer(points, labels, np.arange(len(points)), threads=2),
            every_answer(points, labels, ids, threads=2),
        )
    )
    for answer, renamed in zip(expected, found, strict=True):
        assert sorted(repr(row[1:]) for row in answer) == sorted(repr(row[1:]) for row in renamed)
    # and the sample is of the same customers, but for those that are alike
    counts = Counter(map(tuple, points.tolist()))
    unlike = [counts[tuple(point)] == 1 for point in points.tolist()]
    sampled = {row[0] for row in expected[1] if unlike[row[0]]}
    places = np.argsort(ids)
    assert sampled == {int(places[row[0]]) for row in found[1] if unlike[places[row[0]]]}
    assert 50 < len(sampled) < 150


# --- wrong usage ---------------------------------------------------------------------------------


@pytest.mark.parametrize("call", CALLS[:3])
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("insert into segments values (0, 1)", "must hold each customer once, got 1 rows too many"),
        ("insert into vectors values (0, [1])", "must hold each customer once, got 1 rows"),
        ("update vectors set features = ['nan']", r"within 1e100, got \[nan\]"),
        ("update vectors set features = ['inf']", r"within 1e100, got \[inf\]"),
        ("update vectors set features = [1e155]", r"within 1e100, got \[1e\+155\]"),
        ("update vectors set features = [1e101]", r"within 1e100, got \[1e\+101\]"),
        ("update vectors set features = []", r"must hold numbers, .* got \[\]"),
        ("update vectors set features = [1, null]", "NULL"),
        (
            "update vectors set features = [1, 2] where customer_id = 0",
            r"must have one length, got \[1, 2\]",
        ),
        ("alter table segments drop segment", "does not have a column named .segment"),
        ("alter table vectors rename features to f", "does not have a column named .features"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    con: duckdb.DuckDBPyConnection, call: str, statement: str, message: str
) -> None:
    store(con, [[0], [2], [10]], [0, 0, 1])
    con.execute(statement)
    with pytest.raises(duckdb.Error, match=message):
        con.execute(f"from {call}").fetchall()


@pytest.mark.parametrize("sample_size", [0, -1, "null"])
def test_a_sample_has_at_least_one_customer(
    con: duckdb.DuckDBPyConnection, sample_size: object
) -> None:
    store(con, [[0], [2], [10]], [0, 0, 1])
    with pytest.raises(duckdb.InvalidInputException, match="sample_size must be at least 1, got"):
        con.execute(
            f"from custseg.exact_silhouettes('vectors', 'segments', sample_size := {sample_size})"
        ).fetchall()


@pytest.mark.parametrize("contamination", [0.9, -0.1, 0.51, "null", "'nan'::double", 1e30])
def test_contamination_is_at_most_a_half(
    con: duckdb.DuckDBPyConnection, contamination: object
) -> None:
    store_distances(con, [1, 2, 3])
    with pytest.raises(duckdb.InvalidInputException, match=r"contamination must be in \[0, 0.5\]"):
        outliers(con, contamination)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("insert into distances values (0, 1, 1)", "each customer once, got 1 rows too many"),
        ("update distances set distance = 'nan'", "distance must be finite, got nan"),
        ("update distances set distance = 'inf'", "distance must be finite, got inf"),
        ("update distances set distance = '-inf' where distance = 1", "distance must be finite"),
        ("alter table distances drop distance", "(?s)distance.* not found"),
    ],
)
def test_outliers_refuses_what_is_no_distance(
    con: duckdb.DuckDBPyConnection, statement: str, message: str
) -> None:
    store_distances(con, [1, 2, 3])
    con.execute(statement)
    with pytest.raises(duckdb.Error, match=message):
        outliers(con, 0.1)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("insert into models from models", "models must hold each name once, got 1 rows too many"),
        ("update models set name = null", "models must hold each name once"),
        (
            "update models set model = struct_update(model, version := 7)",
            "cannot be used: version must be 1, got 7",
        ),
        ("update vectors set features = [1]", "dimensions must be equal"),
        ("update vectors set features = [1, 'nan'::double]", "must be finite"),
        ("alter table models drop name", "Column .name. "),
    ],
)
def test_model_metrics_refuses_what_it_cannot_use(
    con: duckdb.DuckDBPyConnection, statement: str, message: str
) -> None:
    store(con, [[0, 1], [2, 1], [10, 1]], [0, 0, 1])
    con.execute(
        "create table models as select 'a' as name, "
        "custseg.kmeans_fit(features, k := 2) as model from vectors"
    )
    con.execute(statement)
    with pytest.raises(duckdb.Error, match=message):
        con.execute("from custseg.model_metrics('vectors', 'models')").fetchall()


@pytest.mark.parametrize("name", [*CTES, "members", "means", "assigned", "vector_rows"])
def test_tables_named_like_ctes_are_read_all_the_same(
    con: duckdb.DuckDBPyConnection, name: str
) -> None:
    store(con, [[0], [2], [10], [11]], [0, 0, 1, 1])
    con.execute(f"create table distances as from {CALLS[0]}")
    con.execute(
        "create table models as select 'a' as name, "
        "custseg.kmeans_fit(features, k := 2) as model from vectors"
    )
    relations = ("vectors", "segments", "distances", "models")
    for call in (*CALLS, "custseg.model_metrics('vectors', 'models')"):
        qualified = re.sub(rf"'({'|'.join(relations)})'", r"'memory.main.\1'", call)
        expected = con.execute(f"from {qualified} order by all").fetchall()
        for relation in relations:
            if f"memory.main.{relation}" in qualified:
                con.execute(f"create or replace temp table {name} as from memory.main.{relation}")
                renamed = qualified.replace(f"memory.main.{relation}", name)
                assert con.execute(f"from {renamed} order by all").fetchall() == expected
                con.execute(f"drop table temp.main.{name}")
