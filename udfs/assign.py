"""Assignment of vectors to the segments of a model: the twin of the SQL macro, for checking it."""

from typing import Any

import numpy as np
import pyarrow as pa

from custseg_duck.udfs.kmeans import nearest
from custseg_duck.udfs.points import Floats, Integers, check, from_lists


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


def assign_arrow(models: pa.ChunkedArray, features: pa.ChunkedArray) -> pa.Array:
    """Segments of a chunk of rows; NULL for NULL features. Runs of one model go together."""
    encoded = models.combine_chunks()
    vectors = features.combine_chunks()
    segments = np.zeros(len(vectors), dtype=np.int32)
    known = np.asarray(vectors.is_valid())
    start = 0
    while start < len(vectors):
        model = encoded[start]
        if not model.is_valid:
            raise ValueError("model must not be NULL")
        stop = start + 1
        while stop < len(vectors) and encoded[stop] == model:
            stop += 1
        rows = np.flatnonzero(known[start:stop]) + start
        if len(rows):
            segments[rows] = assign(model.as_py(), from_lists(vectors.take(pa.array(rows))))
        start = stop
    return pa.array(segments, mask=~known, type=pa.int32())
