"""Assignment of vectors to the segments of a model: the twin of the SQL macro, for checking it."""

from typing import Any

import numpy as np

from custseg_duck.udfs.kmeans import nearest
from custseg_duck.udfs.points import BLOCK_ROWS, Floats, Integers, check


def assign(model: dict[str, Any], points: Floats) -> Integers:
    """Segment of each row.

    Parameters
    ----------
    model : dict
        As ``kmeans.fit`` or ``gmm.fit`` returns it.
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
        raise ValueError(
            f"features must have {centers.shape[1]} values, got {points.shape[1]} [vector-length]"
        )
    if model["algorithm"] == "kmeans":
        return nearest(points, centers)
    return _most_probable(points, model["components"])


def _most_probable(points: Floats, components: list[dict[str, Any]]) -> Integers:
    labels = np.empty(len(points), dtype=np.int64)
    for start in range(0, len(points), BLOCK_ROWS):
        block = points[start : start + BLOCK_ROWS]
        scores = [
            component["log_offset"]
            - 0.5
            * ((block @ np.array(component["precision_rows"]).T - component["shift"]) ** 2).sum(
                axis=1
            )
            for component in components
        ]
        labels[start : start + BLOCK_ROWS] = np.argmax(scores, axis=0)
    return labels
