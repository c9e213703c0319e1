"""The model: one typed STRUCT for every algorithm, and its type in SQL.

A model says everything that scoring needs: how raw features become a vector
(``features``) and where the segments are (``components``, in the order of their
segment numbers: largest first, ties by centre).
"""

from typing import Any

import numpy as np

from custseg_duck.udfs.points import LARGEST, Floats, Integers

VERSION = 1
COVARIANCE_TYPES = ("full", "tied", "diag", "spherical")

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
SWEEP_SQL = (
    "STRUCT(algorithm VARCHAR, covariance_type VARCHAR, k INTEGER, stability DOUBLE, "
    f"prediction_strength DOUBLE, noise_silhouette DOUBLE, seconds DOUBLE, model {MODEL_SQL})[]"
)
MATCHES_SQL = (
    "STRUCT(segment INTEGER, previous_segment INTEGER, distance DOUBLE, is_clear BOOLEAN)[]"
)
CUSTOMERS_SQL = "STRUCT(numbers DOUBLE[], segment BIGINT)[]"
COLUMNS_SQL = 'STRUCT("name" VARCHAR, department VARCHAR, "type" VARCHAR, in_words VARCHAR)[]'
TREE_SQL = (
    "STRUCT(case_expression VARCHAR, fidelity DOUBLE, baseline DOUBLE, n_leaves INTEGER, "
    "depth INTEGER, n_customers BIGINT, segments STRUCT(segment BIGINT, condition VARCHAR, "
    'description VARCHAR, n_customers BIGINT, "precision" DOUBLE, recall DOUBLE)[])'
)


def require_usable(model: dict[str, Any], name: str) -> None:
    """Refuse a model that none of the fits made; ``custseg.check_model`` says more of it.

    Raises
    ------
    ValueError
        If numbers are missing, not finite, or not as many as there are features.
    """
    features, components = model["features"] or [], model["components"] or []
    is_mixture = model["algorithm"] == "gmm"
    n = len(features)
    if not (
        model["algorithm"] in ("kmeans", "gmm")
        and n
        and components
        and all(_is_usable_feature(feature) for feature in features)
        and all(_is_usable_component(component, n, is_mixture) for component in components)
        and (not is_mixture or model["covariance_type"] in COVARIANCE_TYPES)
    ):
        raise ValueError(
            f"{name} must be a fitted model, got one without finite numbers of equal lengths "
            "[model-damaged]"
        )


def _is_usable_feature(feature: dict[str, Any] | None) -> bool:
    return (
        feature is not None
        and bool(feature["name"])
        and feature["transform"] in ("identity", "log")
        and _has_shape([feature[key] for key in ("center", "scale", "unit", "weight")], (4,))
        and min(feature[key] for key in ("scale", "unit", "weight")) > 0
    )


def _is_usable_component(component: dict[str, Any] | None, n: int, is_mixture: bool) -> bool:
    if component is None or not _has_shape(component["center"], (n,)):
        return False
    if not is_mixture:
        return True
    return (
        _has_shape([component["weight"], component["log_offset"]], (2,))
        and component["weight"] > 0
        and _has_shape(component["shift"], (n,))
        and _has_shape(component["covariance"], (n, n))
        and _has_shape(component["precision_rows"], (n, n))
        and all(row[place] > 0 for place, row in enumerate(component["precision_rows"]))
    )


def _has_shape(numbers: Any, shape: tuple[int, ...]) -> bool:
    """Whether they are finite numbers in lists of these lengths, far from the largest double."""
    try:
        found = np.array(numbers, dtype=np.float64)
    except (TypeError, ValueError):  # no list, or lists of several lengths
        return False
    return found.shape == shape and bool(np.all(np.abs(found) <= LARGEST))


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
