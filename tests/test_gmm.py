"""Gaussian mixtures: scikit-learn is the oracle, from the same start."""

import hashlib
import os
import subprocess
import sys
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from sklearn.datasets import load_iris, make_blobs
from sklearn.mixture import GaussianMixture

import custseg_duck
from custseg_duck import InputError
from custseg_duck.udfs import gmm

Floats = npt.NDArray[np.float64]


def register(con: duckdb.DuckDBPyConnection, points: Any) -> None:
    con.register("points", pa.table({"id": range(len(points)), "features": [*map(list, points)]}))


def store_model(con: duckdb.DuckDBPyConnection, arguments: str) -> dict[str, Any]:
    """The table m with a model of the points, and the model."""
    con.execute(
        f"create table m as select custseg.gmm_fit(features, {arguments}) model from points"
    )
    ((model,),) = con.execute("from m").fetchall()
    return dict(model)


def test_a_component_too_far_away_to_be_is_left_out(con: duckdb.DuckDBPyConnection) -> None:
    """Its density is 0 and has no logarithm, but the other one's has."""
    register(con, [[0.0], [1e-9], [2e-9], [1.0], [1e6], [-1e6]])
    store_model(con, "k := 2, covariance_type := 'full'")
    found = con.execute(
        "select custseg.probabilities(model, [1e153]), custseg.assign(model, [1e153]) from m"
    ).fetchall()
    assert found == [([1, 0], 0)]


def scikit_learns(mixture: gmm.Mixture, **options: Any) -> GaussianMixture:
    """GaussianMixture that begins where ``mixture`` is."""
    cholesky = mixture.precisions_cholesky
    precisions = (
        cholesky @ np.swapaxes(cholesky, -1, -2)
        if mixture.covariance_type in ("full", "tied")
        else cholesky**2
    )
    return GaussianMixture(
        len(mixture.weights),
        covariance_type=mixture.covariance_type,
        weights_init=mixture.weights,
        means_init=mixture.means,
        precisions_init=precisions,
        init_params="random",
        random_state=0,
        **options,
    )


@pytest.mark.parametrize(
    ("covariance_type", "log_likelihood", "bic"),
    [
        # published by mclust, and by Matlab's fitgmdist
        ("full", -214.354704, 574.017832),
        ("tied", -296.447575, None),
        ("diag", -386.185347, None),
        # scikit-learn 1.9
        ("spherical", -478.559096, None),
    ],
)
def test_iris_gives_the_published_log_likelihood(
    con: duckdb.DuckDBPyConnection, covariance_type: str, log_likelihood: float, bic: float | None
) -> None:
    register(con, load_iris().data)
    model = store_model(con, f"k := 2, covariance_type := '{covariance_type}'")
    assert model["log_likelihood"] == pytest.approx(log_likelihood, abs=1e-5)
    assert model["converged"]
    assert [component["n"] for component in model["components"]] == [100, 50]
    if bic:
        assert model["bic"] == pytest.approx(bic, abs=1e-5)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("seed", range(50))
@pytest.mark.parametrize("covariance_type", gmm.COVARIANCE_TYPES)
def test_from_the_same_start_it_goes_where_scikit_learn_goes(
    covariance_type: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    n_features, k = int(rng.integers(1, 8)), int(rng.integers(1, 7))
    points, labels = make_blobs(
        int(rng.integers(40, 6000)),
        n_features,
        centers=k,
        cluster_std=rng.uniform(0.5, 3.0, k).tolist(),
        random_state=seed,
    )
    points = points @ rng.normal(size=(n_features, n_features)) + rng.normal(size=n_features) * 10
    gmm.centre(points)
    start = gmm.start(points, labels, k, covariance_type)
    mixture, n_iter, converged = gmm.em(points, start, max_iter=40)
    theirs = scikit_learns(start, max_iter=40).fit(points)
    assert (n_iter, converged) == (theirs.n_iter_, theirs.converged_)
    labels, log_likelihood = gmm.assign(points, mixture)
    assert log_likelihood == pytest.approx(theirs.score(points) * len(points), rel=1e-9)
    np.testing.assert_allclose(mixture.weights, theirs.weights_, rtol=1e-6)
    np.testing.assert_allclose(mixture.means, theirs.means_, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(mixture.covariances, theirs.covariances_, rtol=1e-5, atol=1e-7)
    assert (labels != theirs.predict(points)).mean() <= 1e-3


@pytest.mark.parametrize("covariance_type", gmm.COVARIANCE_TYPES)
def test_sql_scores_like_scikit_learn(con: duckdb.DuckDBPyConnection, covariance_type: str) -> None:
    points, _ = make_blobs(3000, 5, centers=4, random_state=3, cluster_std=3.0)
    register(con, points)
    model = store_model(con, f"k := 4, covariance_type := '{covariance_type}'")
    rows = con.execute("""
        select
            custseg.assign(model, features), custseg_assign(model, features),
            custseg.probabilities(model, features), custseg.log_densities(model, features),
            custseg.distances(model, features)
        from points, m order by id
    """).fetchall()
    by_sql, by_udf, probabilities, densities, distances = (list(c) for c in zip(*rows, strict=True))
    components = model["components"]
    theirs = GaussianMixture(4, covariance_type="full")
    theirs.weights_ = np.array([component["weight"] for component in components])
    theirs.means_ = np.array([component["center"] for component in components])
    theirs.covariances_ = np.array([component["covariance"] for component in components])
    theirs.precisions_cholesky_ = np.array(
        [np.array(component["precision_rows"]).T for component in components]
    )
    expected = theirs.predict_proba(points)
    np.testing.assert_allclose(probabilities, expected, atol=1e-12)
    np.testing.assert_allclose(
        np.logaddexp.reduce(densities, axis=1), theirs.score_samples(points), rtol=1e-10
    )
    np.testing.assert_allclose(
        distances, np.linalg.norm(points[:, None] - theirs.means_[None], axis=2), rtol=1e-12
    )
    assert by_sql == by_udf == expected.argmax(axis=1).tolist()
    assert [component["n"] for component in components] == np.bincount(by_sql).tolist()
    assert model["log_likelihood"] == pytest.approx(theirs.score(points) * 3000, rel=1e-9)
    # the covariance is what the precision factor says it is
    for i in range(4):
        factor = theirs.precisions_cholesky_[i]
        np.testing.assert_allclose(factor @ factor.T @ theirs.covariances_[i], np.eye(5), atol=1e-9)
    theirs.covariance_type = covariance_type
    assert model["aic"] == pytest.approx(
        2 * theirs._n_parameters() - 2 * model["log_likelihood"], rel=1e-12
    )
    assert con.execute("select custseg.check_model(model) from m").fetchall() == [("ok",)]


def test_group_by_gives_one_mixture_per_group(con: duckdb.DuckDBPyConnection) -> None:
    points = load_iris().data
    register(con, points)
    grouped = dict(
        con.execute(
            "select id % 2, custseg.gmm_fit(features, k := 2) from points group by 1"
        ).fetchall()
    )
    for remainder in (0, 1):
        expected = gmm.fit(points[remainder::2].copy(), 2)
        assert grouped[remainder]["components"] == expected["components"]
        assert grouped[remainder]["bic"] == expected["bic"]


def test_rows_in_any_order_give_the_same_bits() -> None:
    points, _ = make_blobs(5000, 4, centers=3, random_state=1, cluster_std=4.0)
    points = np.round(points, 0)  # many ties
    shuffled = points[np.random.default_rng(0).permutation(len(points))]
    assert gmm.fit(points.copy(), 4) == gmm.fit(shuffled.copy(), 4)


def test_any_number_of_threads_gives_the_same_bits() -> None:
    program = """
import hashlib, os, numpy as np
from custseg_duck.udfs import gmm
os.cpu_count = lambda: int(os.environ["OMP_NUM_THREADS"])
points = np.random.default_rng(5).normal(size=(120_000, 4)) * [1, 2, 3, 1]
points[::3] += 4
print(hashlib.sha256(repr(gmm.fit(points, 3)).encode()).hexdigest())
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
    assert len(digests.pop()) == len(hashlib.sha256().hexdigest()) + 1


def test_far_from_the_origin_nothing_is_lost() -> None:
    points, _ = make_blobs(600, 3, centers=4, random_state=2)
    near = gmm.fit(points.copy(), 4)
    far = gmm.fit(points + 1e6, 4)
    assert far["log_likelihood"] == pytest.approx(near["log_likelihood"], rel=1e-7)
    # log densities per row change by the log of the scale, which is large beside reg_covar
    large = gmm.fit(points * 1e8, 4)
    assert large["log_likelihood"] == pytest.approx(
        near["log_likelihood"] - points.size * np.log(1e8), rel=1e-6
    )


def test_a_constant_feature_changes_no_segment() -> None:
    points, _ = make_blobs(600, 3, centers=4, random_state=2)
    plain = gmm.fit(points.copy(), 4)
    padded = gmm.fit(np.column_stack([points, np.full(600, 7.0)]), 4)
    assert [c["n"] for c in padded["components"]] == [c["n"] for c in plain["components"]]


def test_duplicated_rows_keep_their_mixture() -> None:
    points, _ = make_blobs(600, 3, centers=4, random_state=2)
    once = gmm.fit(points.copy(), 4)
    twice = gmm.fit(np.concatenate([points, points]), 4)
    assert twice["log_likelihood"] == pytest.approx(2 * once["log_likelihood"], rel=1e-9)
    assert [c["n"] for c in twice["components"]] == [2 * c["n"] for c in once["components"]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("features, k := 150", r"k must be between 1 and 149 .the distinct rows., got 150"),
        (
            "features, k := 2, covariance_type := 'fill'",
            "covariance_type must be one of full, tied, diag, spherical, got fill",
        ),
        ("features, k := 2, covariance_type := null", "covariance_type must be one of"),
        (
            "list_transform(features, lambda x: x * 1e-8), k := 2",
            "standard deviation of at least 0.01 or be constant.*got 8.25e-09 in place 1",
        ),
        (
            "list_transform([features[1], features[2], features[1] + features[2]], "
            "lambda x: x * 1e8), k := 2",
            "every component's covariance must have an inverse",
        ),
        ("[1, 'inf'::double], k := 1", "must be finite and within 1e100, got inf"),
    ],
)
def test_fit_refuses_what_it_cannot_do(
    con: duckdb.DuckDBPyConnection, call: str, message: str
) -> None:
    register(con, load_iris().data)
    with pytest.raises(duckdb.InvalidInputException, match=message):
        con.execute(f"select custseg.gmm_fit({call}) from points").fetchall()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("probabilities(model, ['nan'::double, 2, 3, 4])", "features must be finite"),
        ("probabilities(model, [1e200, 2, 3, 4])", "features must be finite"),
        ("probabilities(model, [1.0, 2, 3])", "dimensions must be equal"),
        ("log_densities(model, [1.0, 2, 3])", "dimensions must be equal"),
        ("assign(model, ['inf'::double, 2, 3, 4])", "features must be finite"),
        ("probabilities(plain, [1.0, 2, 3, 4])", "must be a mixture, got K-Means"),
        ("log_densities(plain, [1.0, 2, 3, 4])", "must be a mixture, got K-Means"),
    ],
)
def test_scoring_refuses_what_does_not_fit(
    con: duckdb.DuckDBPyConnection, call: str, message: str
) -> None:
    register(con, load_iris().data)
    store_model(con, "k := 2")
    con.execute("alter table m add column plain " + _type_of(con))
    con.execute("update m set plain = (select custseg.kmeans_fit(features, k := 2) from points)")
    with pytest.raises(duckdb.InvalidInputException, match=message):
        con.execute(f"select custseg.{call} from m").fetchall()
    for scorer in ("assign", "probabilities", "log_densities", "distances"):
        assert con.execute(f"select custseg.{scorer}(model, null) from m").fetchall() == [(None,)]


def _type_of(con: duckdb.DuckDBPyConnection) -> str:
    ((kind,),) = con.execute(
        "select data_type from duckdb_columns() where table_name = 'm' and column_name = 'model'"
    ).fetchall()
    return str(kind)


def test_run_leaves_a_mixture_that_scores_without_python(shop: duckdb.DuckDBPyConnection) -> None:
    result = custseg_duck.run("order_lines", con=shop, k=2, algorithm="gmm", covariance_type="diag")
    ((algorithm, covariance_type, n_rows),) = shop.execute(
        "select model.algorithm, model.covariance_type, model.n_rows from custseg.models"
    ).fetchall()
    assert (algorithm, covariance_type, n_rows) == ("gmm", "diag", 60)
    scored = shop.execute("""
        select
            count(*), count(*) filter (scored.segment = kept.segment),
            max(abs(custseg.probabilities(model, features)[scored.segment + 1] - probability)),
            min(probability)
        from custseg.score('custseg.customer_features') as scored
        inner join custseg.segments as kept using (customer_id)
        cross join custseg.models
    """).fetchall()
    assert scored == [(60, 60, 0.0, pytest.approx(1, abs=0.5))]
    assert result.centroids.aggregate("count(distinct segment)").fetchall() == [(2,)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"algorithm": "dbscan"}, "algorithm must be one of kmeans, gmm, got 'dbscan'"),
        ({"covariance_type": "all"}, "covariance_type must be one of full, tied, diag, spherical"),
    ],
)
def test_run_refuses_other_algorithms(
    shop: duckdb.DuckDBPyConnection, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        custseg_duck.run("order_lines", con=shop, **options)
