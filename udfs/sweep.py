"""The choice of k: each candidate fitted, and how well it holds against resampling and noise."""

import itertools
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from custseg_duck.udfs import gmm, kmeans
from custseg_duck.udfs.assign import assign
from custseg_duck.udfs.model import COVARIANCE_TYPES
from custseg_duck.udfs.points import Floats, Integers, prepare, whole_number

SAMPLE_ROWS = 5_000  # stability and noise are judged on so many rows
N_STARTS = 3  # for each of the many fits that only judge
N_REFERENCES = 3
MAX_BOOTSTRAPS = 1000


def sweep(
    points: Floats,
    ks: Sequence[int],
    algorithms: Sequence[str],
    covariance_types: Sequence[str],
    *,
    seed: int = 0,
    n_bootstraps: int = 10,
    features: list[dict[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Fit every combination that the points allow.

    Parameters
    ----------
    points : ndarray of shape (n_rows, n_features), float64
        Scaled features; finite. Sorted in place.
    ks : sequence of int
        Numbers of segments; those above the number of distinct rows are passed over.
    algorithms : sequence of {"kmeans", "gmm"}
    covariance_types : sequence of {"full", "tied", "diag", "spherical"}
        For mixtures.
    seed : int
        0 to 2^32 - 1.
    n_bootstraps : int
        1 to 1000.
    features : list of dict, optional
        How raw values became ``points``; kept in the models.

    Returns
    -------
    list of dict
        algorithm, covariance_type, k, model; stability (mean adjusted Rand index between its
        segments and those of fits to bootstrap samples, -1 to 1); prediction_strength (of
        K-Means: the share of pairs of customers in one segment, of the weakest segment, that
        a fit to other customers keeps together, 0 to 1; else None); noise_silhouette (the
        mean simplified silhouette of K-Means on data like these but without segments, the
        larger of two kinds); seconds (of the fit).

    Raises
    ------
    ValueError
        If the options are not as above.

    Notes
    -----
    Hubert & Arabie (1985) for the index; Hennig (2007) for stability by bootstrap;
    Tibshirani & Walther (2005) for prediction strength; after Tibshirani, Walther & Hastie
    (2001) for the reference, along the principal axes: here once normal and once uniform, of
    the same variances.
    """
    _require_known(algorithms, "algorithms", ("kmeans", "gmm"))
    _require_known(covariance_types, "covariance_types", COVARIANCE_TYPES)
    n_bootstraps = whole_number(n_bootstraps, "n_bootstraps", 1, MAX_BOOTSTRAPS)
    if not ks or any(k is None or k < 1 for k in ks):
        raise ValueError(f"ks must be whole numbers of at least 1, got {list(ks or [])} [option]")
    prepare(points, 1, seed, features)
    n_distinct = len(np.unique(points[:SAMPLE_ROWS], axis=0))
    forms: list[str | None] = [None] if "kmeans" in algorithms else []
    if "gmm" in algorithms:
        forms += covariance_types
    possible = sorted({int(k) for k in ks if k <= n_distinct})
    sample = points[:SAMPLE_ROWS]
    noise = {k: noise_silhouette(sample, k, seed) for k in possible}
    found = []
    for covariance_type, k in itertools.product(forms, possible):
        began = time.perf_counter()
        model = _fit(points, k, covariance_type, seed, features)
        seconds = time.perf_counter() - began
        found.append(
            {
                "algorithm": model["algorithm"],
                "covariance_type": covariance_type,
                "k": k,
                "model": model,
                "stability": stability(sample, model, n_bootstraps, seed),
                "prediction_strength": None
                if covariance_type
                else prediction_strength(sample, k, n_bootstraps, seed),
                "noise_silhouette": noise[k],
                "seconds": seconds,
            }
        )
    return found


def stability(points: Floats, model: dict[str, Any], n_bootstraps: int, seed: int) -> float:
    """Mean adjusted Rand index between the model's segments and those of bootstrap fits."""
    k = len(model["components"])
    labels = assign(model, points)
    random_state = np.random.RandomState(seed)
    indices = []
    for i in range(n_bootstraps):
        rows = points[random_state.randint(len(points), size=len(points))]
        if model["algorithm"] == "kmeans":
            centers = _cluster(rows, k, seed + i)
            again = kmeans.nearest(points, centers)
        else:
            try:
                mixture = gmm.fit(rows, k, covariance_type=model["covariance_type"], seed=seed)
            except ValueError:  # too few rows that differ: as unstable as can be
                indices.append(0.0)
                continue
            again = assign(mixture, points)
        indices.append(adjusted_rand_index(labels, again))
    return float(np.mean(indices))


def prediction_strength(points: Floats, k: int, n_splits: int, seed: int) -> float:
    """How well one half of the rows predicts which rows of the other belong together.

    The mean over random halves: both are clustered into k; of the pairs of rows that share a
    segment of their own half, the share that a nearest centre of the other half keeps
    together, of the segment where it is smallest.
    """
    random_state = np.random.RandomState(seed)
    strengths = []
    for i in range(n_splits):
        shuffled = random_state.permutation(len(points))
        rows = points[shuffled[: len(points) // 2]]
        others = points[shuffled[len(points) // 2 :]]
        if len(rows) < k:
            return 0.0
        shared = _shared(
            kmeans.nearest(rows, _cluster(rows, k, seed + i)),
            kmeans.nearest(rows, _cluster(others, k, seed + i)),
            k,
        )
        pairs = np.maximum(_n_pairs(shared.sum(axis=1)), 1)
        strengths.append(float((_n_pairs(shared).sum(axis=1) / pairs).min()))
    return float(np.mean(strengths))


def noise_silhouette(points: Floats, k: int, seed: int) -> float | None:
    """The mean silhouette that K-Means reaches where there are no segments; None for one."""
    if k == 1:
        return None
    with threadpool_limits(limits=1, user_api="blas"):
        spreads = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    deviations = spreads / len(points) ** 0.5  # along the principal axes, where they suffice
    random_state = np.random.RandomState(seed)
    shape = (len(points), len(deviations))
    means = []
    for draws in (
        [random_state.standard_normal(shape) for _ in range(N_REFERENCES)],
        [random_state.uniform(-(3**0.5), 3**0.5, shape) for _ in range(N_REFERENCES)],
    ):
        noises = [draw * deviations for draw in draws]
        means.append(np.mean([silhouette(x, _cluster(x, k, seed)) for x in noises]))
    return float(max(means))


def silhouette(points: Floats, centers: Floats) -> float:
    """Mean simplified silhouette: by the distances to the nearest and second-nearest centre."""
    distances = np.stack([np.linalg.norm(points - center, axis=1) for center in centers])
    own, other = np.sort(distances, axis=0)[:2]
    return float(np.mean((other - own) / np.where(other > 0, other, 1)))


def adjusted_rand_index(labels: Integers, others: Integers) -> float:
    """Agreement of two partitions: 1 if they are the same, 0 as expected by chance."""
    k = int(max(labels.max(), others.max())) + 1
    shared = _shared(labels, others, k)
    together = _n_pairs(shared).sum()
    in_labels = _n_pairs(shared.sum(axis=1)).sum()
    in_others = _n_pairs(shared.sum(axis=0)).sum()
    expected = in_labels * in_others / max(len(labels) * (len(labels) - 1) / 2, 1)
    most = (in_labels + in_others) / 2
    return 1.0 if most == expected else float((together - expected) / (most - expected))


def _shared(labels: Integers, others: Integers, k: int) -> Integers:
    """Number of rows of each segment of one partition in each of the other, (k, k)."""
    return np.bincount(labels * k + others, minlength=k * k).reshape(k, k)


def _n_pairs(sizes: Integers) -> Integers:
    return sizes * (sizes - 1) // 2


def _cluster(points: Floats, k: int, seed: int) -> Floats:
    """Centres by K-Means from few starts."""
    random_state = np.random.RandomState(seed % 2**32)
    with threadpool_limits(limits=1, user_api="blas"):
        starts = [
            kmeans.lloyd(
                points, kmeans.plus_plus(points, k, random_state), tolerance=kmeans.TOLERANCE
            )
            for _ in range(N_STARTS)
        ]
    best = min(starts, key=lambda found: kmeans.inertia(points, found.centers, found.labels))
    return best.centers


def _fit(
    points: Floats,
    k: int,
    covariance_type: str | None,
    seed: int,
    features: list[dict[str, Any]] | None,
) -> dict[str, Any]:
    if covariance_type is None:
        return kmeans.fit(points, k, seed=seed, features=features)
    return gmm.fit(points.copy(), k, covariance_type=covariance_type, seed=seed, features=features)


def _require_known(names: Sequence[str], option: str, known: Sequence[str]) -> None:
    if not names or any(name not in known for name in names):
        raise ValueError(
            f"{option} must be among {', '.join(known)}, got {list(names or [])} [option]"
        )
