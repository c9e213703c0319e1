"""K-Means: k-means++ seeds on a sample, Lloyd's iterations by scikit-learn, centres made exact.

scikit-learn's centres differ in their last bits from one thread count to another; its labels do
not. So the centres are computed again from the labels, one sum after another in the rows' order,
and the answer is the same bits on any number of threads.
"""

import warnings
from typing import Any

import numpy as np
import pyarrow as pa

from custseg_duck.udfs import model
from custseg_duck.udfs.points import (
    BLOCK_ROWS,
    Floats,
    Integers,
    check,
    from_lists,
    sort_rows,
    whole_number,
)

SAMPLE_ROWS = 20_000  # starts are tried on so many rows; beyond it, the best goes on with all
N_STARTS = 10
MAX_ITERATIONS = 300
MAX_SEED = 2**32 - 1


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
    check(points)
    seed = whole_number(seed, "seed", 0, MAX_SEED)
    n_distinct = sort_rows(points)
    k = whole_number(k, "k", 1, n_distinct, "the distinct rows")
    if features is not None and len(features) != points.shape[1]:
        raise ValueError(
            f"transform must have one entry per feature, "
            f"got {len(features)} for {points.shape[1]} features"
        )

    sample = points[:SAMPLE_ROWS]
    if len(sample) < len(points) and len(np.unique(sample, axis=0)) < k:
        sample = points
    starts = [
        lloyd(sample, start, tolerance=0.0) for start in seeds(sample, k, seed=seed, n=N_STARTS)
    ]
    centers, labels, n_iter = min(starts, key=lambda found: inertia(sample, found[0], found[1]))
    if len(sample) < len(points):
        centers, labels, n_iter = lloyd(points, centers, tolerance=1e-4)
    labels = nearest(points, centers)

    sizes = np.bincount(labels, minlength=k)
    order = model.canonical_order(sizes, centers)
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
        "n_iter": n_iter,
        "converged": n_iter < MAX_ITERATIONS,
        "inertia": inertia(points, centers, labels),
    }


def seeds(points: Floats, k: int, *, seed: int, n: int) -> list[Floats]:
    """``n`` starts of shape (k, n_features), by k-means++."""
    from sklearn.cluster import kmeans_plusplus
    from threadpoolctl import threadpool_limits

    random_state = np.random.RandomState(seed)
    with threadpool_limits(limits=1):
        return [kmeans_plusplus(points, k, random_state=random_state)[0] for _ in range(n)]


def lloyd(points: Floats, start: Floats, *, tolerance: float) -> tuple[Floats, Integers, int]:
    """Lloyd's iterations from ``start``.

    Returns
    -------
    centers : ndarray of shape (k, n_features)
    labels : ndarray of shape (n_rows,)
    n_iter : int
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    kmeans = KMeans(
        len(start), init=start, n_init=1, max_iter=MAX_ITERATIONS, tol=tolerance, algorithm="lloyd"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # a small job is over before a second thread has begun
        with threadpool_limits(limits=1 if len(points) <= SAMPLE_ROWS else None):
            kmeans.fit(points)
    labels = kmeans.labels_.astype(np.int64)
    sizes = np.bincount(labels, minlength=len(start))
    centers: Floats = np.stack(
        [np.bincount(labels, weights=column, minlength=len(start)) for column in points.T], axis=1
    ).astype(np.float64)
    filled = sizes > 0
    centers[filled] /= sizes[filled, None]
    centers[~filled] = kmeans.cluster_centers_[~filled]
    return centers, labels, int(kmeans.n_iter_)


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


def fit_arrow(
    points: pa.ChunkedArray, k: pa.ChunkedArray, seed: pa.ChunkedArray, transform: pa.ChunkedArray
) -> pa.Array:
    """One model per row: lists of vectors, k, seed and transform as SQL passes them."""
    groups = points.combine_chunks()
    rows = zip(
        (groups[i].values for i in range(len(groups))),
        k.to_pylist(),
        seed.to_pylist(),
        transform.to_pylist(),
        strict=True,
    )
    models: list[dict[str, Any] | None] = []
    for vectors, group_k, group_seed, features in rows:
        if vectors is None:
            raise ValueError("features must have at least one row, got none")
        models.append(
            fit(np.array(from_lists(vectors)), group_k, seed=group_seed, features=features)
        )
    return model.as_arrow(models)
