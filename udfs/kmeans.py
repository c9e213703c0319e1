"""K-Means: the best of ten starts on a sample, then Lloyd's iterations on all rows.

Up to ``SAMPLE_ROWS`` rows the sample is all there is, and numpy is enough: importing scikit-learn
would take longer than the fit (1.5 s and 120 MB). Beyond, scikit-learn goes on with all rows. Its
centres differ in their last bits from one thread count to another, its labels do not; so the
centres are computed again from the labels, one row after another.
"""

import warnings
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from custseg_duck.udfs import model
from custseg_duck.udfs.points import (
    BLOCK_ROWS,
    Floats,
    Integers,
    prepare,
)

SAMPLE_ROWS = 20_000  # starts are tried on so many rows; beyond it, the best goes on with all
N_STARTS = 10
TOLERANCE = 1e-4  # a start is compared when its centres move less, as a share of the variance
MAX_ITERATIONS = 300


class Clustering(NamedTuple):
    """Where Lloyd's iterations ended.

    centers : ndarray of shape (k, n_features); labels : ndarray of shape (n_rows,)
    """

    centers: Floats
    labels: Integers
    n_iter: int


def fit(
    points: Floats, k: int, *, seed: int = 0, features: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Fit K-Means.

    Parameters
    ----------
    points : ndarray of shape (n_rows, n_features), float64
        Scaled features; finite. Sorted in place.
    k : int
        Number of segments, 1 to the number of distinct rows.
    seed : int
        0 to 2^32 - 1.
    features : list of dict, optional
        How raw values became ``points``; kept in the model.

    Returns
    -------
    dict
        The model, segments numbered by falling size.

    Raises
    ------
    ValueError
        If points, k or seed are not as above.

    Notes
    -----
    Lloyd (1982), k-means++ seeding, Arthur & Vassilvitskii (2007); the best of 10 starts.
    """
    k = prepare(points, k, seed, features)
    best = cluster(points, k, seed)
    order = model.canonical_order(np.bincount(best.labels, minlength=k), best.centers)
    return _as_model(points, best, order, seed, features)


def refit(points: Floats, previous: dict[str, Any]) -> dict[str, Any]:
    """Fit K-Means anew from where an earlier model ended, on its features and scale.

    Parameters
    ----------
    points : ndarray of shape (n_rows, n_features), float64
        In the earlier model's order and scale; finite. Sorted in place.
    previous : dict
        The earlier model: its k, seed and features hold.

    Returns
    -------
    dict
        The model, each segment under the number of the one that it began as.

    Raises
    ------
    ValueError
        If the points do not fit the model, or fewer of them differ than it has segments.
    """
    centers = np.array([component["center"] for component in previous["components"]])
    seed, features = previous["seed"], previous["features"]
    k = prepare(points, len(centers), seed, features)
    with threadpool_limits(limits=1, user_api="blas"):
        best = go_on(points, centers)
    return _as_model(points, best, np.arange(k), seed, features)


def _as_model(
    points: Floats,
    found: Clustering,
    order: Integers,
    seed: int,
    features: list[dict[str, Any]] | None,
) -> dict[str, Any]:
    centers, labels = found.centers, found.labels
    sizes = np.bincount(labels, minlength=len(centers))
    return {
        "version": model.VERSION,
        "algorithm": "kmeans",
        "seed": seed,
        "features": features or model.plain_features(points.shape[1]),
        "components": [
            {
                "n": int(sizes[i]),
                "weight": float(sizes[i] / len(points)),
                "center": centers[i].tolist(),
            }
            for i in order
        ],
        "n_rows": len(points),
        "n_iter": found.n_iter,
        "converged": found.n_iter < MAX_ITERATIONS,
        "inertia": inertia(points, centers, labels),
    }


def cluster(points: Floats, k: int, seed: int) -> Clustering:
    """The best of ten starts on a sample of the sorted rows, gone on with on all of them."""
    sample = points[:SAMPLE_ROWS]
    if len(sample) < len(points) and len(np.unique(sample, axis=0)) < k:
        sample = points
    random_state = np.random.RandomState(seed)
    with threadpool_limits(limits=1, user_api="blas"):  # so that a product is the same bits
        starts = [
            lloyd(sample, plus_plus(sample, k, random_state), tolerance=TOLERANCE)
            for _ in range(N_STARTS)
        ]
        best = min(starts, key=lambda found: inertia(sample, found.centers, found.labels))
        return go_on(points, best.centers)


def go_on(points: Floats, centers: Floats) -> Clustering:
    """Lloyd's iterations on all rows to their end; the same bits for any number of threads."""
    iterate = lloyd_on_all if len(points) > SAMPLE_ROWS else lloyd
    found = iterate(points, centers)
    centers = means(points, found.labels, found.centers)
    return Clustering(centers, nearest(points, centers), found.n_iter)


def plus_plus(points: Floats, k: int, random_state: np.random.RandomState) -> Floats:
    """Seeds of shape (k, n_features), by greedy k-means++.

    Each next seed is the best of ``2 + ln k`` rows drawn with a probability in proportion to the
    squared distance to the seeds so far.
    """
    n_trials = 2 + int(np.log(k))
    centers = np.empty((k, points.shape[1]))
    centers[0] = points[random_state.randint(len(points))]
    nearest_squares = ((points - centers[0]) ** 2).sum(axis=1)
    for i in range(1, k):
        places = np.cumsum(nearest_squares)
        drawn = np.searchsorted(places, random_state.random_sample(n_trials) * places[-1])
        candidates = points[np.minimum(drawn, len(points) - 1)]
        squares = np.stack([((points - candidate) ** 2).sum(axis=1) for candidate in candidates])
        np.minimum(squares, nearest_squares, out=squares)
        best = squares.sum(axis=1).argmin()
        centers[i], nearest_squares = candidates[best], squares[best]
    return centers


def lloyd(points: Floats, centers: Floats, *, tolerance: float | None = None) -> Clustering:
    """Lloyd's iterations until no row changes its segment. An empty one gets the furthest row.

    With a tolerance, until the centres' squared moves add up to no more than that share of the
    features' mean variance.
    """
    middle = points.mean(axis=0)  # far from it, squares would lose the differences
    points, centers = points - middle, centers - middle
    least_move = -1.0 if tolerance is None else tolerance * float((points**2).mean())
    labels = np.full(len(points), -1)
    n_iter, moved = 0, True
    while moved and n_iter < MAX_ITERATIONS:
        n_iter += 1
        # the squared distance but for the row's own square, which changes no comparison
        scores = (centers**2).sum(axis=1) - 2 * (points @ centers.T)
        previous, labels = labels, scores.argmin(axis=1)
        (empty,) = np.nonzero(np.bincount(labels, minlength=len(centers)) == 0)
        if len(empty):
            squares = ((points - centers[labels]) ** 2).sum(axis=1)
            labels[np.argsort(-squares, kind="stable")[: len(empty)]] = empty
        before, centers = centers, means(points, labels, centers)
        moved = not np.array_equal(labels, previous) and (
            float(((centers - before) ** 2).sum()) > least_move
        )
    return Clustering(centers + middle, labels, n_iter)


def lloyd_on_all(points: Floats, centers: Floats) -> Clustering:
    """The same by scikit-learn on all processors, until the centres hardly move."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    kmeans = KMeans(
        len(centers), init=centers, n_init=1, max_iter=MAX_ITERATIONS, tol=TOLERANCE,
        copy_x=False,  # centred and back, which may change last bits, always the same ones
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        kmeans.fit(points)
    labels = kmeans.labels_.astype(np.int64)
    return Clustering(kmeans.cluster_centers_, labels, int(kmeans.n_iter_))


def means(points: Floats, labels: Integers, otherwise: Floats) -> Floats:
    """The mean of each segment's rows, added up block by block; ``otherwise`` where it has none."""
    k = len(otherwise)
    sums = np.zeros_like(otherwise)
    for start in range(0, len(points), BLOCK_ROWS):
        members = np.eye(k)[labels[start : start + BLOCK_ROWS]]
        sums += members.T @ points[start : start + BLOCK_ROWS]
    sizes = np.bincount(labels, minlength=k)[:, None]
    means: Floats = np.where(sizes > 0, sums / np.maximum(sizes, 1), otherwise)
    return means


def nearest(points: Floats, centers: Floats) -> Integers:
    """Index of the nearest centre of each row; the first one on a tie."""
    labels = np.empty(len(points), dtype=np.int64)
    for start in range(0, len(points), BLOCK_ROWS):
        block = points[start : start + BLOCK_ROWS]
        distances = np.stack([((block - center) ** 2).sum(axis=1) for center in centers])
        labels[start : start + BLOCK_ROWS] = distances.argmin(axis=0)
    return labels


def inertia(points: Floats, centers: Floats, labels: Integers) -> float:
    """Sum of squared distances of the rows to their own centres."""
    return float(
        sum(
            ((points[i : i + BLOCK_ROWS] - centers[labels[i : i + BLOCK_ROWS]]) ** 2).sum()
            for i in range(0, len(points), BLOCK_ROWS)
        )
    )
