"""Numerical kernels: numpy in, numpy out; Arrow at the door. Knows nothing of any database.

``UDFS`` lists what SQL can call: name, argument types, return type and function.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from custseg_duck.udfs import model


class Udf(NamedTuple):
    """One function for SQL: Arrow columns in, one Arrow array of their length out."""

    name: str
    argument_types: tuple[str, ...]
    return_type: str
    function: Callable[..., Any]


# pyarrow takes 25 MB and a tenth of a second, and SQL is most often called without any of this:
# imported when first called.


def kmeans_fit(points: Any, k: Any, seed: Any, transform: Any) -> Any:
    """One model per row."""
    from custseg_duck.udfs import arrow

    return arrow.kmeans_fit(points, k, seed, transform)


def gmm_fit(points: Any, k: Any, covariance_type: Any, seed: Any, transform: Any) -> Any:
    """One model per row."""
    from custseg_duck.udfs import arrow

    return arrow.gmm_fit(points, k, covariance_type, seed, transform)


def k_sweep(
    points: Any,
    ks: Any,
    algorithms: Any,
    covariance_types: Any,
    seed: Any,
    n_bootstraps: Any,
    transform: Any,
) -> Any:
    """One list of candidates per row."""
    from custseg_duck.udfs import arrow

    return arrow.k_sweep(points, ks, algorithms, covariance_types, seed, n_bootstraps, transform)


def refit(points: Any, previous: Any) -> Any:
    """One model per row."""
    from custseg_duck.udfs import arrow

    return arrow.refit(points, previous)


def match(models: Any, previous: Any) -> Any:
    """One list of matches per row."""
    from custseg_duck.udfs import arrow

    return arrow.match(models, previous)


def assign(models: Any, features: Any) -> Any:
    """One segment per row."""
    from custseg_duck.udfs import arrow

    return arrow.assign(models, features)


def decision_tree(customers: Any, columns: Any, max_depth: Any) -> Any:
    """One rule per row."""
    from custseg_duck.udfs import arrow

    return arrow.decision_tree(customers, columns, max_depth)


UDFS = (
    Udf(
        "custseg_kmeans_fit",
        ("DOUBLE[][]", "BIGINT", "BIGINT", model.FEATURES_SQL),
        model.MODEL_SQL,
        kmeans_fit,
    ),
    Udf(
        "custseg_gmm_fit",
        ("DOUBLE[][]", "BIGINT", "VARCHAR", "BIGINT", model.FEATURES_SQL),
        model.MODEL_SQL,
        gmm_fit,
    ),
    Udf(
        "custseg_k_sweep",
        (
            "DOUBLE[][]",
            "BIGINT[]",
            "VARCHAR[]",
            "VARCHAR[]",
            "BIGINT",
            "BIGINT",
            model.FEATURES_SQL,
        ),
        model.SWEEP_SQL,
        k_sweep,
    ),
    Udf("custseg_refit", ("DOUBLE[][]", model.MODEL_SQL), model.MODEL_SQL, refit),
    Udf("custseg_match", (model.MODEL_SQL, model.MODEL_SQL), model.MATCHES_SQL, match),
    Udf("custseg_assign", (model.MODEL_SQL, "DOUBLE[]"), "INTEGER", assign),
    Udf(
        "custseg_decision_tree",
        (model.CUSTOMERS_SQL, model.COLUMNS_SQL, "BIGINT"),
        model.TREE_SQL,
        decision_tree,
    ),
)
