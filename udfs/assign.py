"""Assignment of vectors to the segments of a model: the twin of the SQL macro, for checking it."""

from typing import Any

import numpy as np

from custseg_duck.udfs.kmeans import nearest
from custseg_duck.udfs.points import Floats, Integers, check


def assign(model: dict[str, Any], points: Floats) -> Integers:
    """Segment of each row.

    Parameters
    ----------
    model : dict
        As ``kmeans.fit`` returns it.
    points : ndarray of shape (n_rows, n_features), float64
        In the model's order and scale; finite.

    Raises
    ------
    ValueError
        If the points do not fit the model.
    """
    centers = np.array([component["center"] for component in model["components"]])
    check(points)
    if points.shape[1] != centers.shape[1]:
        raise ValueError(f"features must have {centers.shape[1]} values, got {points.shape[1]}")
    return nearest(points, centers)
