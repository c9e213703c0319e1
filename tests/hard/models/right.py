"""What is right, computed from the values of a model by nothing of ours."""

import contextlib
import itertools
import math
from typing import Any

import numpy as np

from tests.hard.models.shop import Model


def vectors(model: Model, rows: list[dict[str, Any]]) -> np.ndarray[Any, Any]:
    """Raw features on the model's scale: weight * (transformed - center) / scale."""
    columns = []
    for step in model["features"]:
        if step["department"] is None:
            by_name = {name.lower(): name for name in rows[0]}
            raw = [row[by_name[step["name"].lower()]] for row in rows]
        else:
            raw = [row["department_share"].get(step["department"]) for row in rows]
        x = np.array([step["fill"] if one is None else float(one) for one in raw])
        if step["transform"] == "log":
            x = np.sign(x) * np.log(1 + np.abs(x) / step["unit"])
        columns.append((x - step["center"]) / (step["scale"] / step["weight"]))
    return np.stack(columns, axis=1)


def scores(model: Model, points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The nearer, or the more probable, the higher; of shape (customers, segments)."""
    found = []
    for one in model["components"]:
        if model["algorithm"] == "kmeans":
            found.append(-np.sqrt(((points - np.array(one["center"])) ** 2).sum(axis=1)))
        else:
            rows, shift = np.array(one["precision_rows"]), np.array(one["shift"])
            found.append(one["log_offset"] - 0.5 * ((points @ rows.T - shift) ** 2).sum(axis=1))
    return np.stack(found, axis=1)


def is_consistent(model: Model | None) -> bool:
    """Whether the values say what to assign: known words, finite numbers, lengths that fit."""
    with contextlib.suppress(TypeError, KeyError, ValueError, AttributeError):
        assert model is not None
        n = len(model["features"])
        numbers = [
            step[key]
            for step in model["features"]
            for key in ("fill", "center", "scale", "unit", "weight")
        ]
        is_mixture = model["algorithm"] == "gmm"
        for one in model["components"]:
            if np.array(one["center"], float).shape != (n,):
                return False
            numbers += one["center"]
            if is_mixture:
                if np.array(one["precision_rows"], float).shape != (n, n):
                    return False
                if np.array(one["shift"], float).shape != (n,):
                    return False
                matrix = itertools.chain(*one["precision_rows"])
                numbers += [*matrix, *one["shift"], one["log_offset"]]
            elif one["precision_rows"] is not None:
                return False
        return bool(
            model["version"] == 1 and model["algorithm"] in ("kmeans", "gmm") and n
            and model["components"] and all(math.isfinite(number) for number in numbers)
            and all(
                step["name"] and step["transform"] in ("identity", "log")
                and min(step["scale"], step["unit"], step["weight"]) > 0
                for step in model["features"]
            )
        )  # fmt: skip
    return False
