"""K-Means: the UDF, the SQL that assigns, and what both refuse."""

import os
import subprocess
import sys
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris, make_blobs

from custseg_duck.udfs import kmeans
from custseg_duck.udfs.arrow import models_as_arrow
from custseg_duck.udfs.points import LARGEST, MAX_SEED, sort_rows


def register(con: duckdb.DuckDBPyConnection, points: Any, name: str = "points") -> None:
    """The points as a table (id, features)."""
    con.register(name, pa.table({"id": range(len(points)), "features": [list(p) for p in points]}))


def store_model(con: duckdb.DuckDBPyConnection, k: int) -> None:
    """The table m with a model of the points."""
    fit = f"custseg.kmeans_fit(features, k := {k})"
    con.execute(f"create table m as select {fit} as model from points")


def model_of(con: duckdb.DuckDBPyConnection, arguments: str, name: str = "points") -> Any:
    query = f"select custseg.kmeans_fit(features, {arguments}) from {name}"
    return con.execute(query).fetchall()[0][0]


@pytest.mark.parametrize(
    ("k", "inertia", "sizes"),
    [(2, 152.347952, [97, 53]), (3, 78.851441, [62, 50, 38]), (4, 57.228473, None)],
)
def test_iris_gives_the_published_inertia(
    con: duckdb.DuckDBPyConnection, k: int, inertia: float, sizes: list[int] | None
) -> None:
    register(con, load_iris().data)
    model = model_of(con, f"k := {k}")
    assert model["inertia"] == pytest.approx(inertia, abs=1e-6)
    assert model["converged"]
    if sizes:
        assert [component["n"] for component in model["components"]] == sizes


@pytest.mark.parametrize("seed", range(40))
def test_inertia_is_no_worse_than_scikit_learns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_features, k = int(rng.integers(1, 8)), int(rng.integers(1, 9))
    points, _ = make_blobs(
        int(rng.integers(20, 600)), n_features, centers=k, cluster_std=2.0, random_state=seed
    )
    ours = kmeans.fit(points.copy(), k, seed=seed)
    theirs = KMeans(k, n_init=10, random_state=seed).fit(points)
    assert ours["inertia"] <= theirs.inertia_ * 1.02
    centers = np.array([component["center"] for component in ours["components"]])
    again = KMeans(k, init=centers, n_init=1, tol=0).fit(points)
    assert again.inertia_ == pytest.approx(ours["inertia"], rel=1e-9, abs=1e-12)


def test_rows_in_any_order_give_the_same_bits() -> None:
    points, _ = make_blobs(500, 5, centers=4, random_state=1, cluster_std=4.0)
    points = np.round(points, 0)  # many ties
    shuffled = points[np.random.default_rng(0).permutation(len(points))]
    assert kmeans.fit(points.copy(), 6) == kmeans.fit(shuffled.copy(), 6)


def test_beyond_the_sample_any_number_of_threads_gives_the_same_bits() -> None:
    program = """
import hashlib, numpy as np
from custseg_duck.udfs import kmeans
points = np.random.default_rng(5).normal(size=(50_000, 6)) * [1, 2, 3, 1, 1, 5]
print(hashlib.sha256(repr(kmeans.fit(points, 7)).encode()).hexdigest())
"""
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"OMP_NUM_THREADS": n, "OPENBLAS_NUM_THREADS": n},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n in ("1", "2", "3")
    }
    assert len(digests) == 1


def test_far_from_the_origin_nothing_is_lost() -> None:
    points, _ = make_blobs(600, 3, centers=4, random_state=2)
    near = kmeans.fit(points.copy(), 4)
    far = kmeans.fit(points + 1e8, 4)
    assert far["inertia"] == pytest.approx(near["inertia"], rel=1e-6)
    small = kmeans.fit(points * 1e-8, 4)
    assert small["inertia"] == pytest.approx(near["inertia"] * 1e-16, rel=1e-9)


def test_group_by_gives_one_model_per_group(con: duckdb.DuckDBPyConnection) -> None:
    points = load_iris().data
    register(con, points)
    grouped = dict(
        con.execute(
            "select id % 2, custseg.kmeans_fit(features, k := 3) from points group by 1"
        ).fetchall()
    )
    for remainder in (0, 1):
        expected = kmeans.fit(points[remainder::2].copy(), 3)
        assert [grouped[remainder]] == models_as_arrow([expected]).to_pylist()


def test_sql_and_udf_assign_alike(con: duckdb.DuckDBPyConnection) -> None:
    points, _ = make_blobs(5000, 6, centers=5, random_state=3, cluster_std=3.0)
    register(con, points)
    con.execute(
        "create table m as select custseg.kmeans_fit(features, k := 5) as model from points"
    )
    ((differences, n),) = con.execute(
        "select count(*) filter (custseg.assign(model, features) <> "
        "custseg_assign(model, features)), count(*) from points, m"
    ).fetchall()
    assert (differences, n) == (0, 5000)
    nearest = con.execute(
        "select custseg.assign(model, features), custseg.distances(model, features) "
        "from points, m order by id"
    ).fetchall()
    ((model,),) = con.execute("from m").fetchall()
    centers = np.array([component["center"] for component in model["components"]])
    expected = np.linalg.norm(points[:, None] - centers[None], axis=2)
    np.testing.assert_allclose([distances for _, distances in nearest], expected, rtol=1e-12)
    assert [segment for segment, _ in nearest] == expected.argmin(axis=1).tolist()
    sizes = np.bincount(expected.argmin(axis=1)).tolist()
    assert [component["n"] for component in model["components"]] == sizes


def test_each_row_is_assigned_by_its_own_model(con: duckdb.DuckDBPyConnection) -> None:
    register(con, load_iris().data)
    con.execute(
        "create table m as select k, custseg.kmeans_fit(features, k := k) as model "
        "from points cross join (values (2), (3), (4)) as ks (k) group by k"
    )
    con.execute(
        "create table known as "
        "select id, case when id % 7 <> 0 then features end as features from points"
    )
    # in runs of five, some of the features unknown
    found = con.execute(
        "select custseg.assign(model, features), custseg_assign(model, features) "
        "from (from known order by id) as known inner join m on k = 2 + id // 5 % 3 order by id"
    ).fetchall()
    assert {segment for segment, _ in found} == {None, 0, 1, 2, 3}
    assert [segment for segment, _ in found] == [segment for _, segment in found]


def test_null_features_have_no_segment(con: duckdb.DuckDBPyConnection) -> None:
    register(con, load_iris().data)
    con.execute(
        "create table m as select custseg.kmeans_fit(features, k := 2) as model from points"
    )
    found = con.execute(
        "select custseg.assign(model, null), custseg.distances(model, null), "
        "custseg_assign(model, null) from m"
    ).fetchall()
    assert found == [(None, None, None)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            "custseg.kmeans_fit(features, k := 0)",
            r"k must be between 1 and 149 .the distinct rows., got 0",
        ),
        (
            "custseg.kmeans_fit(features, k := 150)",
            r"k must be between 1 and 149 .the distinct rows., got 150",
        ),
        (
            "custseg.kmeans_fit(features, k := null)",
            r"k must be between 1 and 149 .the distinct rows., got None",
        ),
        ("custseg.kmeans_fit(features, k := 2, seed := -1)", "seed must be between 0"),
        ("custseg.kmeans_fit(features, k := 2, seed := null)", "seed must be between 0"),
        ("custseg.kmeans_fit(null::double[], k := 2)", "features must not be NULL, got 150"),
        ("custseg.kmeans_fit([]::double[], k := 1)", "at least one row and one value, got 150 x 0"),
        ("custseg.kmeans_fit([1, null], k := 2)", "features must not hold NULL, got 150"),
        ("custseg.kmeans_fit(features[:1 + id % 2], k := 2)", "must all have one length"),
        ("custseg.kmeans_fit(['nan'::double], k := 1)", "must be finite and within 1e100, got nan"),
        ("custseg.kmeans_fit([1e155], k := 1)", r"must be finite and within 1e100, got 1e\+155"),
        (
            "custseg.kmeans_fit(features, k := 2, transform := [{'name': 'a', 'department': null, "
            "'transform': 'log', 'fill': 0, 'unit': 1, 'center': 0, 'scale': 1, 'weight': 1}])",
            "transform must have one entry per feature, got 1 for 4 features",
        ),
    ],
)
def test_fit_refuses_what_it_cannot_do(
    con: duckdb.DuckDBPyConnection, call: str, message: str
) -> None:
    register(con, load_iris().data)
    with pytest.raises(duckdb.InvalidInputException, match=message):
        con.execute(f"select {call} from points").fetchall()


def test_options_and_features_are_taken_up_to_their_bounds(con: duckdb.DuckDBPyConnection) -> None:
    register(con, load_iris().data)
    model = model_of(con, f"k := 149, seed := {MAX_SEED}")
    assert [len(model["components"]), model["inertia"]] == [149, 0]
    register(con, [[LARGEST], [-LARGEST]], "huge")
    assert model_of(con, "k := 1", "huge")["components"][0]["n"] == 2


def test_a_fit_that_was_stopped_has_not_converged(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(0).normal(size=(500, 2))
    assert kmeans.fit(points.copy(), 8)["converged"]
    monkeypatch.setattr(kmeans, "MAX_ITERATIONS", 2)
    stopped = kmeans.fit(points.copy(), 8)
    assert (stopped["n_iter"], stopped["converged"]) == (2, False)


def test_segments_of_one_size_are_in_the_order_of_their_centres(
    con: duckdb.DuckDBPyConnection,
) -> None:
    register(con, [[9, 0], [0, 9], [5, 5], [9, 0], [0, 9], [5, 5], [5, 5]])
    components = model_of(con, "k := 3")["components"]
    assert [component["center"] for component in components] == [[5, 5], [0, 9], [9, 0]]


def test_an_empty_segment_gets_the_furthest_row(con: duckdb.DuckDBPyConnection) -> None:
    """One on each side of those in the middle: which one is alone depends on where it begins."""
    register(con, [[-9], [-9], [0], [0], [0], [9], [9]])
    con.execute(
        "create table m as select custseg.kmeans_fit(features, k := 2) as model "
        "from (values ([8.0]), ([8.0]), ([1000.0])) as old (features)"
    )
    ((model,),) = con.execute(
        "select custseg.refit(features, model) from points cross join m"
    ).fetchall()
    centers = sorted(component["center"][0] for component in model["components"])
    assert centers == pytest.approx([-9, 18 / 5])


def test_rows_of_one_hash_are_told_apart() -> None:
    """Rows are sorted by a hash of their bits, in which anybody can find two that collide."""

    def mixed(key: int) -> int:
        for shift, multiplier in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
            key = (key ^ key >> shift) * multiplier % 2**64
        return key

    def bits(value: float) -> int:
        return int(np.float64(value).view(np.uint64))

    one = [2.0, 1.0]
    firsts = np.random.default_rng(1).normal(size=100_000).tolist()
    keys = [mixed(bits(first)) ^ mixed(bits(one[0])) ^ bits(one[1]) for first in firsts]
    seconds = np.array(keys, np.uint64).view(np.float64).tolist()
    other = next([a, b] for a, b in zip(firsts, seconds, strict=True) if 1e-3 < abs(b) < 1e3)
    points = np.array([one, other, one, [0.0, 0.0], other, one])
    again = points[::-1].copy()
    assert sort_rows(points) == sort_rows(again) == 3
    assert points.tolist() == again.tolist()


def test_fit_refuses_an_empty_table(con: duckdb.DuckDBPyConnection) -> None:
    register(con, load_iris().data)
    with pytest.raises(duckdb.InvalidInputException, match="at least one row"):
        con.execute("select custseg.kmeans_fit(features) from points where false").fetchall()


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ("[1, 2, 3, 'nan'::double]", "features must be finite"),
        ("[1, 2]", "dimensions must be equal"),
    ],
)
def test_assign_refuses_what_does_not_fit(
    con: duckdb.DuckDBPyConnection, features: str, message: str
) -> None:
    register(con, load_iris().data)
    con.execute(
        "create table m as select custseg.kmeans_fit(features, k := 2) as model from points"
    )
    with pytest.raises(duckdb.InvalidInputException, match=message):
        con.execute(f"select custseg.assign(model, {features}) from m").fetchall()


def test_check_model_says_what_is_wrong(con: duckdb.DuckDBPyConnection) -> None:
    register(con, load_iris().data)
    con.execute(
        "create table m as select custseg.kmeans_fit(features, k := 2) as model from points"
    )
    broken = {
        "model": "ok",
        "null": "model is NULL",
        "struct_update(model, version := 2)": "version must be 1, got 2",
        "struct_update(model, algorithm := 'magic')": "algorithm must be kmeans or gmm, got magic",
        "struct_update(model, features := [])": "features must name at least one feature",
        "struct_update(model, components := null)": "components must hold at least one segment",
        "struct_update(model, features := model.features[:3])": "as long as features",
        "struct_update(model, features := list_transform(model.features, lambda f: "
        "struct_update(f, scale := 0)))": "every feature must have",
        "struct_update(model, components := list_transform(model.components, lambda c: "
        "struct_update(c, center := [1, null, 2, 3])))": "every centre must be finite",
    }
    types = con.execute("select typeof(model) from m").fetchall()[0][0]
    for expression, message in broken.items():
        ((found,),) = con.execute(
            f"select custseg.check_model(({expression})::{types}) from m"
        ).fetchall()
        assert message in found, expression
