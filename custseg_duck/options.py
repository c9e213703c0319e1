"""The options of run, checked before anything is read."""

import datetime
import zoneinfo
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from custseg_duck.errors import InputError

ITEM_COLUMNS = ("product_id", "category", "department", "product_name")
MINING_CHOICES = {"on_limit": ("error", "truncate")}
MINING_WHOLE = {"max_pairs": 1, "max_candidates": 1}
MINING_OPTIONAL_WHOLE = {"min_count": 1, "max_length": 1}
CHOICES = {
    "algorithm": ("kmeans", "gmm"),
    "covariance_type": ("full", "tied", "diag", "spherical"),
    "item": ITEM_COLUMNS,
}
WHOLE = {"k": 1, "seed": 0, "n_recommendations": 0}
OPTIONAL_WHOLE = {"max_antecedents": 1, "max_consequents": 1, "max_fit_bytes": 1}
# Options that may be None although that is not their default
NULLABLE = ("max_length", "max_consequents")
# Options whose values are texts, or dates that may be written as such
TEXTS = {
    "name", "algorithm", "covariance_type", "item", "on_limit", "returns", "duplicates",
    "empty_lines", "time_zone", "since", "as_of",
}  # fmt: skip
# What a fitted model says for itself
OF_THE_MODEL = {
    "algorithm", "covariance_type", "k", "seed", "include", "exclude", "weights", "transforms",
}  # fmt: skip


def check(options: Mapping[str, Any]) -> dict[str, Any]:
    """Refuse bad options of run before anything is read, and give the good ones plain types.

    The SQL holds the same guards for SQL-only users.

    Raises
    ------
    InputError
        That says what must hold and what came.
    """
    checked = check_mining(options)
    _require(isinstance(options["name"], str) and options["name"], options, "name", "a text")
    _check_whole(checked, WHOLE, OPTIONAL_WHOLE)
    _check_choices(options, CHOICES)
    confidence = options["min_confidence"]
    _require(
        _is_number(confidence) and 0 <= confidence <= 1, options, "min_confidence", "in [0, 1]"
    )
    for name in ("decision_rules", "segment_rules"):
        _require(isinstance(options[name], bool), options, name, "a bool")
    for name in ("include", "exclude", "exclude_items"):
        value = options[name]
        is_list = isinstance(value, Sequence) and not isinstance(value, str)
        _require(value is None or is_list, options, name, "a list")
        checked[name] = None if value is None else list(value)
    for name in ("weights", "transforms"):
        value = options[name]
        _require(value is None or isinstance(value, Mapping), options, name, "a mapping")
        checked[name] = dict(value) if value else None
    for name in ("since", "as_of"):
        checked[name] = _local(options[name], options["time_zone"])
    return checked


def check_mining(options: Mapping[str, Any]) -> dict[str, Any]:
    """Refuse bad options of frequent_itemsets, and give the good ones plain types.

    Raises
    ------
    InputError
        That says what must hold and what came.
    """
    checked = dict(options)
    _check_whole(checked, MINING_WHOLE, MINING_OPTIONAL_WHOLE)
    _check_choices(options, MINING_CHOICES)
    support, count = options["min_support"], options["min_count"]
    if support is not None:
        if count is not None:
            raise InputError(
                f"give min_support or min_count, not both, got {support} and {count} [option]"
            )
        _require(_is_number(support) and 0 < support <= 1, options, "min_support", "in (0, 1]")
    return checked


def _check_whole(
    options: dict[str, Any], needed: Mapping[str, int], optional: Mapping[str, int]
) -> None:
    """Refuse what is not a whole number; ``k`` may be "auto" and an optional one None."""
    for name, low in (*needed.items(), *optional.items()):
        value = options[name]
        if (value is None and name in optional) or (name == "k" and value == "auto"):
            continue
        is_whole = isinstance(value, Integral) and not isinstance(value, bool)
        _require(is_whole and value >= low, options, name, f"an int in the range [{low}, inf)")
        options[name] = int(value)


def _check_choices(options: Mapping[str, Any], choices: Mapping[str, Sequence[str]]) -> None:
    for name, known in choices.items():
        require_choice(name, options[name], known)


def require_choice(name: str, value: object, known: Sequence[str]) -> None:
    """Refuse a value that is none of those known.

    Raises
    ------
    InputError
        That says which there are, and what came.
    """
    _require(value in known, {name: value}, name, f"one of {', '.join(known)}")


def _require(condition: object, options: Mapping[str, Any], name: str, what: str) -> None:
    if not condition:
        raise InputError(f"{name} must be {what}, got {options[name]!r} [option]")


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _local(moment: object, time_zone: str | None) -> object:
    """A moment with a zone, by the shop's own clock."""
    if not isinstance(moment, datetime.datetime) or moment.tzinfo is None:
        return moment
    try:
        zone = zoneinfo.ZoneInfo(time_zone or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(
            f"time_zone must be one that is known, got {time_zone!r} [option]"
        ) from error
    return moment.astimezone(zone).replace(tzinfo=None)
