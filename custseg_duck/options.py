"""The options of run, checked before anything is read."""

from collections.abc import Mapping
from typing import Any

from custseg_duck.errors import InputError

ITEM_COLUMNS = ("product_id", "category", "department", "product_name")


def check(options: Mapping[str, Any]) -> None:
    """Refuse bad options before anything is read.

    The SQL holds the same guards for SQL-only users.

    Raises
    ------
    InputError
        That says what must hold and what came.
    """
    if options["min_support"] is not None and options["min_count"] is not None:
        raise InputError(
            f"give min_support or min_count, not both, got {options['min_support']} "
            f"and {options['min_count']}"
        )
    whole = {"k": 1, "seed": 0, "min_count": 1, "max_length": 1}
    whole |= {"max_antecedents": 1, "max_consequents": 1}
    for key, low in whole.items():
        value = options[key]
        optional = key not in ("k", "seed")
        if optional and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise InputError(f"{key} must be an int in the range [{low}, inf), got {value!r}")
    if options["item"] not in ITEM_COLUMNS:
        raise InputError(f"item must be one of {', '.join(ITEM_COLUMNS)}, got {options['item']!r}")
    support = options["min_support"]
    if support is not None and not 0 < support <= 1:
        raise InputError(f"min_support must be in (0, 1], got {support}")
    if not 0 <= options["min_confidence"] <= 1:
        raise InputError(f"min_confidence must be in [0, 1], got {options['min_confidence']}")
    if not isinstance(options["name"], str) or not options["name"]:
        raise InputError(f"name must be a text of at least one character, got {options['name']!r}")
