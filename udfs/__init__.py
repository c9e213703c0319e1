"""Numerical kernels: numpy in, numpy out; Arrow at the door. Knows nothing of any database.

``UDFS`` lists what SQL can call: name, argument types, return type and function.
"""

from collections.abc import Callable
from typing import NamedTuple

import pyarrow as pa

from custseg_duck.udfs import assign, kmeans, model


class Udf(NamedTuple):
    """One function for SQL: Arrow columns in, one Arrow array of their length out."""

    name: str
    argument_types: tuple[str, ...]
    return_type: str
    function: Callable[..., pa.Array]


UDFS = (
    Udf(
        "custseg_kmeans_fit",
        ("DOUBLE[][]", "BIGINT", "BIGINT", model.FEATURES_SQL),
        model.MODEL_SQL,
        kmeans.fit_arrow,
    ),
    Udf("custseg_assign", (model.MODEL_SQL, "DOUBLE[]"), "INTEGER", assign.assign_arrow),
)
