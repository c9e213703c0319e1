"""The model: one typed STRUCT for every algorithm, and its types in SQL and Arrow.

A model says everything that scoring needs: how raw features become a vector
(``features``) and where the segments are (``components``, in the order of their
segment numbers: largest first, ties by centre).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from custseg_duck.udfs.points import Floats, Integers

VERSION = 1

FEATURES_SQL = (
    'STRUCT("name" VARCHAR, department VARCHAR, transform VARCHAR, fill DOUBLE, '
    "unit DOUBLE, center DOUBLE, scale DOUBLE, weight DOUBLE)[]"
)
COMPONENTS_SQL = (
    "STRUCT(n BIGINT, weight DOUBLE, center DOUBLE[], covariance DOUBLE[][], "
    "precision_rows DOUBLE[][], shift DOUBLE[], log_offset DOUBLE)[]"
)
MODEL_SQL = (
    'STRUCT("version" INTEGER, algorithm VARCHAR, covariance_type VARCHAR, seed BIGINT, '
    f"features {FEATURES_SQL}, components {COMPONENTS_SQL}, "
    "n_rows BIGINT, n_iter INTEGER, converged BOOLEAN, inertia DOUBLE, "
    "log_likelihood DOUBLE, bic DOUBLE, aic DOUBLE)"
)

VECTOR = pa.list_(pa.float64())
MATRIX = pa.list_(VECTOR)
FEATURES = pa.list_(
    pa.struct(
        [
            ("name", pa.string()),
            ("department", pa.string()),
            ("transform", pa.string()),
            ("fill", pa.float64()),
            ("unit", pa.float64()),
            ("center", pa.float64()),
            ("scale", pa.float64()),
            ("weight", pa.float64()),
        ]
    )
)
COMPONENTS = pa.list_(
    pa.struct(
        [
            ("n", pa.int64()),
            ("weight", pa.float64()),
            ("center", VECTOR),
            ("covariance", MATRIX),
            ("precision_rows", MATRIX),
            ("shift", VECTOR),
            ("log_offset", pa.float64()),
        ]
    )
)
MODEL = pa.struct(
    [
        ("version", pa.int32()),
        ("algorithm", pa.string()),
        ("covariance_type", pa.string()),
        ("seed", pa.int64()),
        ("features", FEATURES),
        ("components", COMPONENTS),
        ("n_rows", pa.int64()),
        ("n_iter", pa.int32()),
        ("converged", pa.bool_()),
        ("inertia", pa.float64()),
        ("log_likelihood", pa.float64()),
        ("bic", pa.float64()),
        ("aic", pa.float64()),
    ]
)


def plain_features(n_features: int) -> list[dict[str, Any]]:
    """Name the features of vectors that are clustered as they are: no transform at all."""
    return [
        {
            "name": f"feature_{i}",
            "department": None,
            "transform": "identity",
            "fill": 0.0,
            "unit": 1.0,
            "center": 0.0,
            "scale": 1.0,
            "weight": 1.0,
        }
        for i in range(n_features)
    ]


def canonical_order(sizes: Integers, centers: Floats) -> Integers:
    """Component indices by falling size, ties by centre: the segment numbers.

    Parameters
    ----------
    sizes : ndarray of shape (k,), int64
    centers : ndarray of shape (k, n_features), float64
    """
    return np.lexsort((*centers.T[::-1], -sizes))


def as_arrow(models: Sequence[dict[str, Any] | None]) -> pa.Array:
    """Models, or None for NULL, as an Arrow array of the model's type."""
    return pa.array(models, type=MODEL)
