"""Which segment of a model is which of another: the assignment that moves the centres least."""

from typing import Any, NamedTuple

import numpy as np

from custseg_duck.udfs import gmm, kmeans
from custseg_duck.udfs.model import require_usable
from custseg_duck.udfs.points import Floats


class Match(NamedTuple):
    """A segment and the one that it goes on from.

    segment : its number in the new model; previous_segment : in the other one, or None; distance :
    between the two centres, on the new model's scale; is_clear : neither has a nearer one
    """

    segment: int
    previous_segment: int | None
    distance: float | None
    is_clear: bool


def match(model: dict[str, Any], previous: dict[str, Any]) -> list[Match]:
    """Pair the segments of a model with those of an earlier one.

    Parameters
    ----------
    model, previous : dict
        As ``kmeans.fit`` and ``gmm.fit`` return them, fitted on the same features or on some of
        the same. Of different numbers of segments, some are left over.

    Returns
    -------
    list of Match
        One per segment of ``model``.

    Raises
    ------
    ValueError
        If the models have no feature in common.

    Notes
    -----
    The assignment problem on the distances between centres, Kuhn (1955).
    """
    from scipy.optimize import linear_sum_assignment

    require_usable(model, "model")
    require_usable(previous, "previous")
    new, old = _comparable_centers(model, previous)
    distances = np.sqrt(((new[:, None] - old[None]) ** 2).sum(axis=2))
    pairs = dict(zip(*(side.tolist() for side in linear_sum_assignment(distances)), strict=True))
    nearest_old, nearest_new = distances.argmin(axis=1), distances.argmin(axis=0)
    return [
        Match(
            i,
            pairs.get(i),
            float(distances[i, pairs[i]]) if i in pairs else None,
            i in pairs and bool(nearest_old[i] == pairs[i] and nearest_new[pairs[i]] == i),
        )
        for i in range(len(new))
    ]


def renumbered(model: dict[str, Any], matches: list[Match]) -> dict[str, Any]:
    """The same model, its segments in the order of those that they go on from; new ones last."""
    last = len(matches)
    order = sorted(
        matches,
        key=lambda m: (last if m.previous_segment is None else m.previous_segment, m.segment),
    )
    components = model["components"]
    return model | {"components": [components[found.segment] for found in order]}


def refitted(points: Floats, previous: dict[str, Any] | None) -> dict[str, Any]:
    """A model fitted anew from where ``previous`` ended, its segments under the same numbers.

    Raises
    ------
    ValueError
        If there is none, or the points do not fit it.
    """
    if previous is None:
        raise ValueError("model must be the one to go on from, got NULL [null-value]")
    require_usable(previous, "model")
    is_mixture = previous["algorithm"] == "gmm"
    model = gmm.refit(points, previous) if is_mixture else kmeans.refit(points, previous)
    return renumbered(model, match(model, previous))


def recentred(model: dict[str, Any]) -> dict[str, Any]:
    """The same model on a scale whose zero is the average of the rows that it was fitted on.

    A model that goes on from another one keeps that one's scale, whose zero is the average of then:
    what is above it would be told of a customer long after most of them are.
    """
    features, components = model["features"], model["components"]
    weights = np.array([component["weight"] for component in components])
    centers = np.array([component["center"] for component in components])
    middle = weights @ centers / weights.sum()
    steps = [feature["scale"] / (feature["weight"] or 1.0) for feature in features]
    return model | {
        "features": [
            feature | {"center": feature["center"] + step * float(shift)}
            for feature, step, shift in zip(features, steps, middle, strict=True)
        ],
        "components": [
            component | _placed(component, center - middle)
            for component, center in zip(components, centers, strict=True)
        ],
    }


def _placed(component: dict[str, Any], center: Floats) -> dict[str, Any]:
    """What of a component changes with its centre."""
    rows = component.get("precision_rows")
    shift = {} if rows is None else {"shift": (np.array(rows) @ center).tolist()}
    return {"center": center.tolist(), **shift}


def _comparable_centers(model: dict[str, Any], previous: dict[str, Any]) -> tuple[Floats, Floats]:
    """Both models' centres on the first one's scale, by the features that they share."""
    new, old = model["features"], previous["features"]
    places = {_key(feature): i for i, feature in enumerate(old)}
    shared = [
        (i, places[_key(feature)]) for i, feature in enumerate(new) if _key(feature) in places
    ]
    if not shared:
        raise ValueError(
            "models must have a feature in common to be compared, got "
            f"{_names(new)} against {_names(old)} [model-kind]"
        )
    new_centers = np.array([component["center"] for component in model["components"]])
    old_centers = np.array([component["center"] for component in previous["components"]])
    columns = [
        old_centers[:, j] if new[i] == old[j] else _scaled(_raw(old_centers[:, j], old[j]), new[i])
        for i, j in shared
    ]
    return new_centers[:, [i for i, _ in shared]], np.stack(columns, axis=1)


def _raw(values: Floats, feature: dict[str, Any]) -> Floats:
    """Coordinates in the feature's own unit: the inverse of ``_scaled``."""
    inner: Floats = feature["center"] + feature["scale"] * values / (feature["weight"] or 1.0)
    if feature["transform"] == "log":
        return np.asarray(np.sign(inner) * feature["unit"] * np.expm1(np.abs(inner)))
    return inner


def _scaled(values: Floats, feature: dict[str, Any]) -> Floats:
    """Values in the feature's own unit as coordinates of a vector, as sql/segments has it."""
    inner = values
    if feature["transform"] == "log":
        inner = np.sign(values) * np.log1p(np.abs(values) / feature["unit"])
    return np.asarray((feature["weight"] or 1.0) * (inner - feature["center"]) / feature["scale"])


def _key(feature: dict[str, Any]) -> tuple[str, str | None]:
    return feature["name"], feature["department"]


def _names(features: list[dict[str, Any]]) -> str:
    return ", ".join(".".join(filter(None, _key(feature))) for feature in features)
