"""Principal components: points of many features in the few directions in which they differ most."""

from typing import NamedTuple

import numpy as np

from custseg_duck.udfs.points import Floats, check


class Projection(NamedTuple):
    """Points in their principal components.

    coordinates : (n_points, n_components), the mean at 0; axes : (n_components, n_features), each
    of length 1; shares : (n_components,), the part of the variance that each one holds
    """

    coordinates: Floats
    axes: Floats
    shares: Floats


def project(points: Floats, n_components: int = 2) -> Projection:
    """Points in their first principal components.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_features), float64
        Scaled features. Finite, within 1e100.
    n_components : int
        Beyond the number of features, coordinates, axes and shares are 0.

    Returns
    -------
    Projection
        Of points that do not differ, coordinates and shares are 0. Of each axis the entry that is
        largest in size is positive, so that it has one sign.

    Raises
    ------
    ValueError
        If there is no point or no feature, or a value is not finite.

    Notes
    -----
    The eigenvectors of the covariance matrix, Pearson (1901), Hotelling (1933). Sums are einsum's,
    whose order does not depend on the number of threads.
    """
    check(points)
    n_points, n_features = points.shape
    centred = points - points.mean(axis=0)
    covariance = np.einsum("ni,nj->ij", centred, centred) / n_points
    variances, vectors = np.linalg.eigh(covariance)
    largest_first = np.argsort(-variances, kind="stable")[:n_components]
    n_found = len(largest_first)
    axes = np.zeros((n_components, n_features))
    shares = np.zeros(n_components)
    total = float(np.trace(covariance))
    if total > 0:
        found = vectors[:, largest_first].T
        largest = np.argmax(np.abs(found).round(9), axis=1)  # the first one of equals
        axes[:n_found] = found * np.sign(found[np.arange(n_found), largest])[:, np.newaxis]
        shares[:n_found] = np.maximum(variances[largest_first], 0) / total
    return Projection(np.einsum("ni,ci->nc", centred, axes), axes, shares)
