"""The choice of k: planted segments are found, and noise is called noise."""

import itertools
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from sklearn.datasets import load_iris, make_blobs
from sklearn.metrics import adjusted_rand_score

import custseg_duck
from custseg_duck import CustsegWarning
from custseg_duck.udfs import sweep
from tests.conftest import QUICK

# orders a year, items an order, price, share of produce, how many products they choose from
CUSTOMER_TYPES = {
    "daily": (200, 3, 4, 0.7, 60),
    "weekly": (50, 25, 5, 0.3, 500),
    "rare": (6, 4, 3, 0.2, 100),
    "bulk": (12, 60, 12, 0.1, 200),
    "snack": (80, 2, 1, 0.0, 8),
}


def register(con: duckdb.DuckDBPyConnection, points: npt.NDArray[np.float64]) -> None:
    con.register(
        "v", pa.table({"customer_id": range(len(points)), "features": [*map(list, points)]})
    )


def recommended(con: duckdb.DuckDBPyConnection, arguments: str = "") -> list[Any]:
    return con.execute(
        f"select k from custseg.k_sweep('v'{arguments}) where is_recommended"
    ).fetchall()


def planted_shop(
    con: duckdb.DuckDBPyConnection, n_each: int, *, seed: int = 3, same: bool = False
) -> list[str]:
    """The table ``lines``; each customer's type. With ``same`` they differ by chance alone."""
    rng = np.random.default_rng(seed)
    rows: dict[str, list[Any]] = {
        name: [] for name in ("customer_id", "order_id", "product_id", "ordered_at", "amount",
                              "department")
    }  # fmt: skip
    types = [name for name in CUSTOMER_TYPES for _ in range(n_each)]
    order_ids = itertools.count()
    for customer, name in enumerate(types):
        n_orders, n_items, price, produce, n_products = CUSTOMER_TYPES["weekly" if same else name]
        favourites = rng.integers(0, 1000, n_products)
        for day in rng.integers(0, 365, max(2, rng.poisson(n_orders))):
            order = next(order_ids)
            for product in rng.choice(favourites, 1 + rng.poisson(n_items - 1)):
                rows["customer_id"].append(customer)
                rows["order_id"].append(order)
                rows["product_id"].append(int(product))
                rows["amount"].append(round(float(rng.lognormal(np.log(price), 0.3)), 2))
                rows["department"].append("produce" if rng.random() < produce else "other")
                rows["ordered_at"].append(str(np.datetime64("2024-01-01") + int(day)) + " 12:00:00")
    con.register("rows", pa.table(rows))
    con.execute("create table lines as from rows")
    return types


def test_the_index_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        n, k, other = rng.integers(2, 200), rng.integers(1, 7), rng.integers(1, 7)
        a, b = rng.integers(0, k, n), rng.integers(0, other, n)
        assert sweep.adjusted_rand_index(a, b) == pytest.approx(
            adjusted_rand_score(a, b), abs=1e-12
        )


def test_other_rows_confirm_planted_segments_only() -> None:
    points, _ = make_blobs(600, 6, centers=4, cluster_std=1.5, random_state=6)
    strengths = [sweep.prediction_strength(points, k, 5, 0) for k in range(1, 7)]
    assert strengths[0] == 1
    assert strengths[3] > 0.95
    assert max(strengths[4:]) < 0.8
    noise = np.random.default_rng(0).normal(size=(600, 6))
    assert 0 < sweep.prediction_strength(noise, 4, 5, 0) < 0.7
    assert sweep.prediction_strength(noise[:5], 3, 5, 0) == 0


@pytest.mark.parametrize("algorithm", ["kmeans", "gmm"])
@pytest.mark.parametrize(("k", "seed"), [(2, 0), (3, 1), (5, 2), (6, 3)])
def test_planted_segments_are_counted(
    con: duckdb.DuckDBPyConnection, k: int, seed: int, algorithm: str
) -> None:
    points, _ = make_blobs(600, 6, centers=k, cluster_std=1.5, random_state=seed)
    register(con, points)
    arguments = f", ks := range(1, 8), algorithms := ['{algorithm}'], n_bootstraps := 4"
    assert recommended(con, arguments) == [(k,)]


@pytest.mark.parametrize("kind", ["normal", "uniform", "correlated"])
def test_noise_has_no_segments(con: duckdb.DuckDBPyConnection, kind: str) -> None:
    rng = np.random.default_rng(5)
    points = {
        "normal": rng.normal(size=(1000, 5)),
        "uniform": rng.uniform(size=(1000, 2)),
        "correlated": rng.normal(size=(1000, 5)) @ rng.normal(size=(5, 5)),
    }[kind]
    register(con, points)
    assert recommended(con, ", ks := range(1, 7), n_bootstraps := 4") == []


def test_a_sweep_says_what_a_fit_says(con: duckdb.DuckDBPyConnection) -> None:
    register(con, load_iris().data)
    rows = con.execute(
        "select algorithm, covariance_type, k, inertia, bic, model.bic, smallest_share, "
        "is_recommended, reason from custseg.k_sweep('v', ks := [3, 1], "
        "algorithms := ['gmm', 'kmeans'], covariance_types := ['full', 'diag'], "
        "n_bootstraps := 2)"
    ).fetchall()
    assert [row[:3] for row in rows] == [
        ("kmeans", None, 1), ("kmeans", None, 3), ("gmm", "diag", 1), ("gmm", "diag", 3),
        ("gmm", "full", 1), ("gmm", "full", 3),
    ]  # fmt: skip
    assert rows[1][3] == pytest.approx(78.851441, abs=1e-6)
    assert rows[1][6] == pytest.approx(38 / 150)
    assert all(bic == model_bic for _, _, _, _, bic, model_bic, *_ in rows)
    ((bic,),) = con.execute("select custseg.gmm_fit(features, k := 3).bic from v").fetchall()
    assert rows[5][4] == bic
    assert sum(is_recommended for *_, is_recommended, _ in rows) <= 2
    assert all(reason for *_, reason in rows)


def test_any_order_and_any_ids_give_the_same_sweep(con: duckdb.DuckDBPyConnection) -> None:
    points, _ = make_blobs(500, 4, centers=3, random_state=0, cluster_std=2.0)
    query = "select * exclude (seconds) from custseg.k_sweep('v', ks := [2, 3], n_bootstraps := 3)"
    register(con, points)
    expected = con.execute(query).fetchall()
    register(con, points[np.random.default_rng(0).permutation(500)])
    for threads in (1, 4):
        con.execute(f"set threads = {threads}")
        assert con.execute(query).fetchall() == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (", ks := []", "ks must be whole numbers of at least 1"),
        (", ks := [0, 2]", "ks must be whole numbers of at least 1"),
        (", algorithms := ['dbscan']", "algorithms must be among kmeans, gmm"),
        (", covariance_types := ['round']", "covariance_types must be among full"),
        (", n_bootstraps := 0", "n_bootstraps must be between 1 and 1000"),
        (", seed := -1", "seed must be between 0"),
    ],
)
def test_a_sweep_refuses_what_it_cannot_do(
    con: duckdb.DuckDBPyConnection, arguments: str, message: str
) -> None:
    register(con, load_iris().data)
    with pytest.raises(duckdb.InvalidInputException, match=message):
        recommended(con, arguments)


@pytest.mark.parametrize("seed", [3, 5, 6])
def test_run_finds_the_planted_customers(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    types = planted_shop(con, 60, seed=seed)
    result = custseg_duck.run("lines", con=con, k="auto", **QUICK, min_support=0.2)
    segments = [s for (s,) in result.segments.order("customer_id").project("segment").fetchall()]
    assert result.summary.aggregate("count(*)").fetchall() == [(5,)]
    assert adjusted_rand_score(types, segments) >= 0.95


def test_candidates_stay_with_their_run(con: duckdb.DuckDBPyConnection) -> None:
    planted_shop(con, 60)
    custseg_duck.run("lines", con=con, k="auto", **QUICK, min_support=0.2)
    kept = "select k from custseg.k_candidates where is_recommended"
    assert con.execute(kept).fetchall() == [(5,)]
    custseg_duck.run("lines", con=con, k=2, name="other", **QUICK, min_support=0.2)
    assert con.execute(kept).fetchall() == [(5,)]
    custseg_duck.run("lines", con=con, k=2, **QUICK, min_support=0.2)
    assert con.execute(kept).fetchall() == []


def test_run_says_that_there_are_no_segments(con: duckdb.DuckDBPyConnection) -> None:
    planted_shop(con, 20, same=True)
    with pytest.warns(CustsegWarning, match="no clear segments were found.*k = 2: "):
        result = custseg_duck.run("lines", con=con, k="auto", **QUICK, min_support=0.2)
    assert result.summary.project("n_customers").fetchall() == [(100,)]


def test_one_customer_is_one_segment(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table t as select 1 as customer_id, 2 as order_id, 3 as product_id")
    with pytest.warns(CustsegWarning, match="no clear segments were found"):
        result = custseg_duck.run("t", con=con, k="auto", **QUICK)
    assert result.summary.aggregate("count(*)").fetchall() == [(1,)]
