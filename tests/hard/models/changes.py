"""How a model is changed: a value, a list or a feature of it, in a random place."""

import copy
import math
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.hard.models.shop import Model


class Changed(NamedTuple):
    """A model that was changed, and where."""

    model: Model | None
    what: str


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every leaf, list and struct of a model."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(
        value if isinstance(value, list) else ()
    )  # fmt: skip
    for key, one in items:
        yield from _places(one, (*path, key))


def _at(model: Model, path: tuple[Any, ...]) -> Any:
    found: Any = model
    for key in path:
        found = found[key]
    return found


def _put(model: Model, path: tuple[Any, ...], value: Any) -> None:
    _at(model, path[:-1])[path[-1]] = value


NUMBERS = ("fill", "center", "scale", "unit", "weight", "log_offset", "inertia", "bic", "aic",
           "log_likelihood")  # fmt: skip
WHOLE = ("version", "seed", "n_rows", "n_iter", "n")
WORDS = (
    "",
    "eval",
    "kmeans",
    "gmm",
    "identity",
    "log",
    "sqrt",
    "full",
    "diag",
    "SPEND",
    "visits",
    "department_share",
    "tea",
    "'); drop table x; --",
    "__import__('os')",
    "\0",
    "x" * 5000,
)


def _leaf(old: Any, key: Any, draw: random.Random) -> Any:
    """What a value becomes: another one of its type, or NULL."""
    if draw.random() < 0.15:
        return None
    if isinstance(old, bool):
        return not old
    if isinstance(old, str) or key in ("department", "covariance_type"):
        return draw.choice(WORDS)
    if old is None and key not in NUMBERS:
        return None  # what had a type that it no longer tells
    if key in WHOLE:
        return draw.choice([0, -1, 1, 2, 2**31 - 1])
    old = old if isinstance(old, float | int) else 1.0
    return draw.choice([
        math.nan, math.inf, -math.inf, 0.0, -old, old * 1e6, old / 1e6, old + 1e-3, 1e308, -1e308,
        5e-324, 1e-300, old * 1.1, float(draw.randint(-3, 3)),
    ])  # fmt: skip


def _list(old: list[Any], draw: random.Random) -> Any:
    """What a list becomes: of another length or order."""
    some = copy.deepcopy(draw.choice(old)) if old else None
    shuffled = draw.sample(old, len(old))
    return draw.choice([
        [], None, old[:-1], old[1:], [*old, some], [*old, None], [some] * len(old), old[::-1],
        shuffled, [None, *old[1:]], [*old, *old],
    ])  # fmt: skip


def changed(model: Model, draw: random.Random) -> Changed:
    """A model with one to three changes in random places."""
    if draw.random() < 0.02:
        return Changed(None, "the whole is NULL")
    made, said = copy.deepcopy(model), []
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        # a list of numbers, not all of its numbers, is as likely as one word
        by_shape: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        for path in _places(made):
            by_shape.setdefault(tuple(k for k in path if isinstance(k, str)), []).append(path)
        path = draw.choice(by_shape[draw.choice(sorted(by_shape))])
        old = _at(made, path)
        new = (
            _list(old, draw) if isinstance(old, list)
            else None if isinstance(old, dict)
            else _leaf(old, path[-1], draw)
        )  # fmt: skip
        _put(made, path, new)
        said.append(f"{'.'.join(map(str, path))} from {str(old)[:60]} to {str(new)[:60]}")
    return Changed(made, "; ".join(said))
