"""The options of run, checked before anything is read."""

import datetime
import re
import zoneinfo
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

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

# What of a BLOB DuckDB shows as it is
_BLOB_TEXT = {chr(code) for code in range(32, 127)} - set("\"'\\")
# As custseg.has_offset has it
_OFFSET = re.compile(r":\d\d.*(Z|z|[+-]\d\d(:?\d\d)?)$")


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
    checked["min_confidence"] = float(confidence)
    for name in ("decision_rules", "segment_rules"):
        _require(isinstance(options[name], bool), options, name, "a bool")
    for name in ("include", "exclude", "exclude_items"):
        checked[name] = list_option(options, name)
    for name in ("weights", "transforms"):
        value = options[name]
        is_mapping = isinstance(value, Mapping) and all(isinstance(key, str) for key in value)
        _require(value is None or is_mapping, options, name, "a mapping of columns' names")
        checked[name] = {key: plain(one) for key, one in value.items()} if value else None
    zone = options["time_zone"]
    _require(zone is None or isinstance(zone, str), options, "time_zone", "a text")
    for name in ("since", "as_of"):
        value = plain(options[name])
        is_moment = isinstance(value, datetime.date | str) and str(value) != "NaT"  # of pandas
        _require(value is None or is_moment, options, name, "a date, a datetime or a text")
        checked[name] = _local(value, zone)
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
        checked["min_support"] = float(support)
    return checked


def _check_whole(
    options: dict[str, Any], needed: Mapping[str, int], optional: Mapping[str, int]
) -> None:
    """Refuse what is not a whole number; ``k`` may be "auto" and an optional one None."""
    for name, low in (*needed.items(), *optional.items()):
        value = options[name]
        is_auto = name == "k" and isinstance(value, str) and value == "auto"
        if is_auto or (value is None and name in optional):
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
    _require(
        isinstance(value, str) and value in known, {name: value}, name, f"one of {', '.join(known)}"
    )


def _require(condition: object, options: Mapping[str, Any], name: str, what: str) -> None:
    if not condition:
        raise InputError(f"{name} must be {what}, got {options[name]!r} [option]")


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def list_option(options: Mapping[str, Any], name: str) -> list[Any] | None:
    """An option that is a list or None, of plain types.

    Raises
    ------
    InputError
        That says what came.
    """
    value = options[name]
    is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    _require(value is None or is_list, options, name, "a list")
    return None if value is None else [plain(one) for one in value]


def plain(value: object) -> object:
    """A value of numpy as Python's, and bytes as the text that DuckDB shows of a BLOB."""
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]")
    if isinstance(value, bytes):
        return "".join(chr(byte) if chr(byte) in _BLOB_TEXT else f"\\x{byte:02X}" for byte in value)
    return value.item() if isinstance(value, np.generic) else value


def _local(moment: object, time_zone: str | None) -> object:
    """A moment that says how far its clock is from UTC, by the shop's own clock."""
    if isinstance(moment, str) and _OFFSET.search(moment):
        try:
            moment = datetime.datetime.fromisoformat(moment.strip())
        except ValueError:  # the SQL says what it must be
            return moment
    if not isinstance(moment, datetime.datetime) or moment.tzinfo is None:
        return moment
    return moment.astimezone(_zone(time_zone or "UTC")).replace(tzinfo=None)


def _zone(name: str) -> zoneinfo.ZoneInfo:
    """A time zone by its name; its case makes no difference, as in DuckDB.

    Raises
    ------
    InputError
        If it is none that is known.
    """
    known = {zone.casefold(): zone for zone in zoneinfo.available_timezones()}
    if name.casefold() not in known:
        raise InputError(f"time_zone must be one that is known, got {name!r} [option]")
    return zoneinfo.ZoneInfo(known[name.casefold()])
