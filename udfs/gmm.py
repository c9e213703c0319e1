"""Gaussian mixtures: expectation-maximisation by blocks of rows.

A pass over the rows is one product of a block with the precision factors of all components side by
side, and one with its weighted copies; what is added up is small. So nothing of the points' size is
made beside them, and every number is added in an order that is the same for any number of threads.

scikit-learn's GaussianMixture is the model: the same start, updates, regularisation and
convergence, in the same words.
"""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial, reduce
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from custseg_duck.udfs import kmeans, model
from custseg_duck.udfs.model import COVARIANCE_TYPES
from custseg_duck.udfs.points import Floats, Integers, prepare

WITH_MATRICES = ("full", "tied")
MAX_ITERATIONS = 100
TOLERANCE = 1e-3  # of the mean log-likelihood of a row
REG_COVAR = 1e-6  # added to every variance
SAMPLE_ROWS = 100_000  # beyond, the first rows decide where all of them begin
LEAST_VARIANCE = 100 * REG_COVAR

BLOCK_ROWS = 1 << 12  # a block and its products stay in a processor's cache
CHUNK_ROWS = 1 << 15  # what a thread takes at a time


class Mixture(NamedTuple):
    """Gaussian components, in one of the four forms of covariance.

    weights : ndarray of shape (k,); means : (k, d); covariances and precisions_cholesky (upper
    triangular, their product with their transpose is the precision): (k, d, d) if full, (d, d) if
    tied, (k, d) if diag, (k,) if spherical
    """

    covariance_type: str
    weights: Floats
    means: Floats
    covariances: Floats
    precisions_cholesky: Floats


class Densities:
    """A mixture's log densities, with what all blocks share computed once."""

    def __init__(self, mixture: Mixture) -> None:
        k, n_features = mixture.means.shape
        self.covariance_type = mixture.covariance_type
        self.means = mixture.means[:, :, None]
        factors = factors_of(mixture)
        if mixture.covariance_type in WITH_MATRICES:
            shifts = np.einsum("kd,kde->ke", mixture.means, factors)
            sheared = np.concatenate([factors, -shifts[:, None, :]], axis=1).swapaxes(1, 2)
            self.factors = sheared.reshape(k * n_features, n_features + 1)
            diagonals = np.diagonal(factors, axis1=1, axis2=2)
        else:
            self.factors = factors[:, :, None]
            diagonals = factors
        self.log_offsets = (
            np.log(mixture.weights)
            + np.log(diagonals).sum(axis=1)
            - 0.5 * n_features * np.log(2 * np.pi)
        )

    def __call__(self, columns: Floats) -> Floats:
        """Log of weight times density, of shape (k, n), for columns of shape (d + 1, n)."""
        if self.covariance_type in WITH_MATRICES:
            scaled = self.factors @ columns
        else:
            scaled = columns[None, :-1] - self.means
            scaled *= self.factors
        scaled = scaled.reshape(len(self.means), len(columns) - 1, -1)
        densities: Floats = np.einsum("kdn,kdn->kn", scaled, scaled)
        densities *= -0.5
        densities += self.log_offsets[:, None]
        return densities


def factors_of(mixture: Mixture) -> Floats:
    """Each component's precision factor: (k, d, d), or its diagonal: (k, d)."""
    k, n_features = mixture.means.shape
    match mixture.covariance_type:
        case "tied":
            return np.broadcast_to(mixture.precisions_cholesky, (k, n_features, n_features))
        case "spherical":
            return np.broadcast_to(mixture.precisions_cholesky[:, None], (k, n_features))
    return mixture.precisions_cholesky


class Sums(NamedTuple):
    """What a pass adds up over the rows, r being the responsibilities.

    sizes : (k,), of r; firsts : (k, d), of r x; seconds : of r x x', (k, d, d) if full, else of
    r x^2, (k, d), and for tied nothing; log_likelihood : of all rows
    """

    sizes: Floats
    firsts: Floats
    seconds: Floats
    log_likelihood: float


def fit(
    points: Floats,
    k: int,
    *,
    covariance_type: str = "full",
    seed: int = 0,
    features: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Fit a Gaussian mixture.

    Parameters
    ----------
    points : ndarray of shape (n_rows, n_features), float64
        Scaled features; finite. Sorted and centred in place.
    k : int
        Number of segments, 1 to the number of distinct rows.
    covariance_type : {"full", "tied", "diag", "spherical"}
        Of each component, of all together, its diagonal, or one variance.
    seed : int
        0 to 2^32 - 1.
    features : list of dict, optional
        How raw values became ``points``; kept in the model.

    Returns
    -------
    dict
        The model, segments numbered by falling size: how many rows are most probably theirs.

    Raises
    ------
    ValueError
        If points, k, covariance_type or seed are not as above, or a feature varies so little that
        what is added to its variance would decide.

    Notes
    -----
    Dempster, Laird & Rubin (1977). The start is K-Means. AIC: Akaike (1974), BIC: Schwarz (1978).
    """
    if covariance_type not in COVARIANCE_TYPES:
        raise ValueError(
            f"covariance_type must be one of {', '.join(COVARIANCE_TYPES)}, got "
            f"{covariance_type} [option]"
        )
    k = prepare(points, k, seed, features)
    middle = centre(points)
    _require_variance(points)
    sample = points[:SAMPLE_ROWS]
    if len(sample) < len(points) and len(np.unique(sample, axis=0)) < k:
        sample = points
    labels = kmeans.cluster(sample, k, seed).labels
    n_iter = 0
    with threadpool_limits(limits=1, user_api="blas"):  # so that a product is the same bits
        mixture = start(sample, labels, k, covariance_type)
        if len(sample) < len(points):
            mixture, n_iter, _ = em(sample, mixture)
        found = finish(points, mixture, n_iter)
    order = model.canonical_order(found.sizes, found.mixture.means)
    return _as_model(points, found, middle, order, seed, features)


def refit(points: Floats, previous: dict[str, Any]) -> dict[str, Any]:
    """Fit a mixture anew from where an earlier model ended, on its features and scale.

    Parameters
    ----------
    points : ndarray of shape (n_rows, n_features), float64
        In the earlier model's order and scale; finite. Sorted and centred in place.
    previous : dict
        The earlier model: its k, covariance_type, seed and features hold.

    Returns
    -------
    dict
        The model, each segment under the number of the one that it began as.

    Raises
    ------
    ValueError
        As ``fit``.
    """
    seed, features, k = previous["seed"], previous["features"], len(previous["components"])
    prepare(points, k, seed, features)
    middle = centre(points)
    _require_variance(points)
    with threadpool_limits(limits=1, user_api="blas"):
        found = finish(points, _mixture_of(previous, middle), 0)
    return _as_model(points, found, middle, np.arange(k), seed, features)


class Fitted(NamedTuple):
    """Where the iterations ended.

    sizes : ndarray of shape (k,), how many rows are most probably of each component
    """

    mixture: Mixture
    sizes: Integers
    log_likelihood: float
    n_iter: int
    converged: bool


def finish(points: Floats, mixture: Mixture, n_iter: int) -> Fitted:
    """Iterate on all rows, after ``n_iter`` on a sample, and assign them."""
    mixture, n_more, converged = em(points, mixture)
    labels, log_likelihood = assign(points, mixture)
    sizes = np.bincount(labels, minlength=len(mixture.means))
    return Fitted(mixture, sizes, log_likelihood, n_iter + n_more, converged)


def _as_model(
    points: Floats,
    found: Fitted,
    middle: Floats,
    order: Integers,
    seed: int,
    features: list[dict[str, Any]] | None,
) -> dict[str, Any]:
    mixture, sizes = found.mixture, found.sizes
    n_rows, n_features = points.shape
    n_free = _n_free(mixture.covariance_type, len(sizes), n_features)
    return {
        "version": model.VERSION,
        "algorithm": "gmm",
        "covariance_type": mixture.covariance_type,
        "seed": seed,
        "features": features or model.plain_features(n_features),
        "components": [_component(mixture, middle, int(i), int(sizes[i])) for i in order],
        "n_rows": n_rows,
        "n_iter": found.n_iter,
        "converged": found.converged,
        "log_likelihood": found.log_likelihood,
        "bic": n_free * float(np.log(n_rows)) - 2 * found.log_likelihood,
        "aic": 2 * n_free - 2 * found.log_likelihood,
    }


def _mixture_of(fitted: dict[str, Any], middle: Floats) -> Mixture:
    """A model's components, around the centre of the points."""
    covariance_type, components = fitted["covariance_type"], fitted["components"]
    covariances = np.array([component["covariance"] for component in components])
    factors = np.array([component["precision_rows"] for component in components]).swapaxes(1, 2)
    match covariance_type:
        case "tied":
            covariances, factors = covariances[0], factors[0]
        case "diag" | "spherical":
            covariances = np.diagonal(covariances, axis1=1, axis2=2)
            factors = np.diagonal(factors, axis1=1, axis2=2)
    if covariance_type == "spherical":
        covariances, factors = covariances[:, 0], factors[:, 0]
    return Mixture(
        covariance_type,
        np.array([component["weight"] for component in components]),
        np.array([component["center"] for component in components]) - middle,
        covariances,
        factors,
    )


def centre(points: Floats) -> Floats:
    """Subtract the columns' means in place, against cancellation; the means, of shape (d,)."""
    middle = points[0].copy()
    points -= middle  # so that the mean of what is left is exact enough far from the origin
    rest = np.sum([chunk.sum(axis=0) for chunk in _chunks(points)], axis=0) / len(points)
    points -= rest
    center: Floats = middle + rest
    return center


def start(
    points: Floats, labels: Integers, k: int, covariance_type: str, *, reg_covar: float = REG_COVAR
) -> Mixture:
    """The mixture in which each row belongs to its label alone."""
    components = np.arange(k)[:, None]
    sums = _add_up(
        _accumulate(columns, (numbers == components) * 1.0, covariance_type, 0.0)
        for columns, numbers in zip(_blocks(points), _split(labels, BLOCK_ROWS), strict=True)
    )
    return maximise(sums, covariance_type, _scatter(points, covariance_type), reg_covar)


def em(
    points: Floats,
    mixture: Mixture,
    *,
    max_iter: int = MAX_ITERATIONS,
    tolerance: float = TOLERANCE,
    reg_covar: float = REG_COVAR,
) -> tuple[Mixture, int, bool]:
    """Iterate until the mean log-likelihood changes by less than the tolerance.

    Parameters
    ----------
    points : ndarray of shape (n_rows, n_features), float64
        Centred.

    Returns
    -------
    mixture, number of iterations, whether it converged
    """
    scatter = _scatter(points, mixture.covariance_type)
    before = -np.inf
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for n_iter in range(1, max_iter + 1):
            expect_chunk = partial(expect, log_densities=Densities(mixture))
            sums = _add_up(threads.map(expect_chunk, _chunks(points)))
            mixture = maximise(sums, mixture.covariance_type, scatter, reg_covar)
            mean = sums.log_likelihood / len(points)
            if abs(mean - before) < tolerance:
                return mixture, n_iter, True
            before = mean
    return mixture, max_iter, False


def expect(rows: Floats, log_densities: Densities) -> Sums:
    """The sums over one chunk of rows."""
    parts = []
    for columns in _blocks(rows):
        densities = log_densities(columns)
        highest = densities.max(axis=0)
        densities -= highest
        np.exp(densities, out=densities)
        totals = densities.sum(axis=0)
        densities /= totals  # now the responsibilities
        log_likelihood = float(np.log(totals).sum() + highest.sum())
        parts.append(_accumulate(columns, densities, log_densities.covariance_type, log_likelihood))
    return _add_up(parts)


def maximise(sums: Sums, covariance_type: str, scatter: Floats, reg_covar: float) -> Mixture:
    """The mixture that is most likely, given the responsibilities.

    Raises
    ------
    ValueError
        If a component's covariance has no inverse.
    """
    sizes = sums.sizes + 10 * np.finfo(np.float64).eps
    means = sums.firsts / sizes[:, None]
    n_features = means.shape[1]
    match covariance_type:
        case "full":
            outer = means[:, :, None] * means[:, None, :]
            covariances = sums.seconds / sizes[:, None, None] - outer
        case "tied":
            covariances = (scatter - (sizes * means.T) @ means) / sizes.sum()
        case _:
            covariances = sums.seconds / sizes[:, None] - means**2
    if covariance_type in WITH_MATRICES:
        covariances[..., range(n_features), range(n_features)] += reg_covar
    else:
        covariances += reg_covar
        if covariance_type == "spherical":
            covariances = covariances.mean(axis=1)
    return Mixture(
        covariance_type,
        sizes / sizes.sum(),
        means,
        covariances,
        _precisions_cholesky(covariances, covariance_type),
    )


def assign(points: Floats, mixture: Mixture) -> tuple[Integers, float]:
    """The most probable component of each row, and the log-likelihood of all."""
    log_densities = Densities(mixture)
    labels = []
    log_likelihood = 0.0
    for columns in _blocks(points):
        densities = log_densities(columns)
        labels.append(densities.argmax(axis=0))
        highest = densities.max(axis=0)
        totals = np.exp(densities - highest).sum(axis=0)
        log_likelihood += float(np.log(totals).sum() + highest.sum())
    return np.concatenate(labels), log_likelihood


def _accumulate(
    columns: Floats, responsibilities: Floats, covariance_type: str, log_likelihood: float
) -> Sums:
    k, n_features = len(responsibilities), len(columns) - 1
    firsts = responsibilities @ columns.T  # and, by the column of ones, the sizes
    match covariance_type:
        case "full":
            weighted = responsibilities[:, None, :] * columns[None, :-1]
            seconds = weighted.reshape(k * n_features, -1) @ columns[:-1].T
            seconds = seconds.reshape(k, n_features, n_features)
        case "tied":
            seconds = np.zeros(0)
        case _:
            seconds = responsibilities @ np.square(columns[:-1]).T
    return Sums(firsts[:, -1], firsts[:, :-1], seconds, log_likelihood)


def _add_up(parts: Iterable[Sums]) -> Sums:
    """The sum, from first to last."""
    return reduce(_plus, parts)


def _plus(total: Sums, part: Sums) -> Sums:
    return Sums(
        total.sizes + part.sizes,
        total.firsts + part.firsts,
        total.seconds + part.seconds,
        total.log_likelihood + part.log_likelihood,
    )


def _scatter(points: Floats, covariance_type: str) -> Floats:
    """The sum of x x' of all rows, for tied covariances; nothing for others."""
    if covariance_type != "tied":
        return np.zeros(0)
    scatter: Floats = np.sum([rows.T @ rows for rows in _chunks(points)], axis=0)
    return scatter


def _precisions_cholesky(covariances: Floats, covariance_type: str) -> Floats:
    if covariance_type not in WITH_MATRICES:
        if not np.all(covariances > 0):
            raise ValueError(
                "every component's variances must be above 0, got one that is not after rounding: "
                "a feature varies too little within a segment for its size. Scale the features, or "
                "take fewer segments [variance]"
            )
        factors: Floats = 1 / np.sqrt(covariances)
        return factors
    try:
        lower = np.linalg.cholesky(covariances)
    except np.linalg.LinAlgError:
        raise ValueError(
            "every component's covariance must have an inverse, got one that has none: features "
            "that follow from each other, or on very different scales. Leave them out, take fewer "
            "segments, or covariance_type diag [variance]"
        ) from None
    identity = np.broadcast_to(np.eye(covariances.shape[-1]), covariances.shape)
    upper: Floats = np.swapaxes(np.linalg.solve(lower, identity), -1, -2)
    return np.triu(upper)


def _require_variance(points: Floats) -> None:
    variances = np.array([np.square(column).mean() for column in points.T])
    (small,) = np.nonzero((variances > 0) & (variances < LEAST_VARIANCE))
    if len(small):
        raise ValueError(
            f"features must have a standard deviation of at least {LEAST_VARIANCE**0.5:g} or be "
            f"constant, because {REG_COVAR:g} is added to every variance, got "
            f"{variances[small[0]] ** 0.5:.3g} in place {small[0] + 1}. Scale them first, as "
            "custseg.feature_vectors does [variance]"
        )


def _n_free(covariance_type: str, k: int, n_features: int) -> int:
    """Number of free parameters."""
    covariances = {
        "full": k * n_features * (n_features + 1) // 2,
        "tied": n_features * (n_features + 1) // 2,
        "diag": k * n_features,
        "spherical": k,
    }
    return covariances[covariance_type] + k * n_features + k - 1


def _component(mixture: Mixture, middle: Floats, i: int, n: int) -> dict[str, Any]:
    """One component as scoring needs it: its precision factor by rows, on uncentred features."""
    n_features = len(middle)
    match mixture.covariance_type:
        case "full":
            covariance = mixture.covariances[i]
        case "tied":
            covariance = mixture.covariances
        case "diag":
            covariance = np.diag(mixture.covariances[i])
        case _:
            covariance = mixture.covariances[i] * np.eye(n_features)
    factor = factors_of(mixture)[i]
    precision_rows = factor.T if mixture.covariance_type in WITH_MATRICES else np.diag(factor)
    center = mixture.means[i] + middle
    return {
        "n": n,
        "weight": float(mixture.weights[i]),
        "center": center.tolist(),
        "covariance": covariance.tolist(),
        "precision_rows": precision_rows.tolist(),
        "shift": (precision_rows @ center).tolist(),
        "log_offset": float(Densities(mixture).log_offsets[i]),
    }


def _blocks(rows: Floats) -> Iterator[Floats]:
    """Blocks of rows, turned on their side (sums along them are fast) and with a row of ones."""
    for block in _split(rows, BLOCK_ROWS):
        columns = np.ones((rows.shape[1] + 1, len(block)))
        columns[:-1] = block.T
        yield columns


def _chunks(rows: Floats) -> Iterator[Floats]:
    return _split(rows, CHUNK_ROWS)


def _split(rows: Any, n_rows: int) -> Iterator[Any]:
    """Views on the rows, so many at a time."""
    for first in range(0, len(rows), n_rows):
        yield rows[first : first + n_rows]
