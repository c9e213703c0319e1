"""What laws are made of: their list, and how two answers are compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.hard.random_shops import Row, Rows, Shop

# The features that depend on other customers, and why; all others may not
RELATIVE = {
    "r_score": "a rank among all customers",
    "f_score": "a rank among all customers",
    "m_score": "a rank among all customers",
    "rfm_cell": "made of the ranks",
    "rfm_label": "made of the ranks",
    "night_share": "NULL where no order of the shop has a time of day",
    "morning_share": "NULL where no order of the shop has a time of day",
    "afternoon_share": "NULL where no order of the shop has a time of day",
    "evening_share": "NULL where no order of the shop has a time of day",
}
# and without as_of, which the laws give, the days to the shop's last order: recency_days,
# tenure_days and orders_per_30d

# The end of a reason: which lines have it is seen in a whole shop alone
NEVER_BOUGHT = " by a customer without a purchase"

Law = Callable[[Shop], None]
LAWS: list[Law] = []


def law(function: Law) -> Law:
    """Let a function be tried on every shop."""
    LAWS.append(function)
    return function


def assert_same(found: Any, expected: Any, what: str = "") -> None:
    """Equal to the last bit, or the first difference."""
    if found == expected:
        return
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        for key in [*expected, *(key for key in found if key not in expected)]:
            if key not in found or key not in expected or found[key] != expected[key]:
                assert_same(found.get(key), expected.get(key), f"{what} {key}")
    if isinstance(found, list) and isinstance(expected, list):
        assert len(found) == len(expected), f"{what}: {len(found)} rows, not {len(expected)}"
        for one, other in zip(found, expected, strict=True):
            assert one == other, f"{what}: {one} is not {other}"
    raise AssertionError(f"{what}: {found} is not {expected}")


def assert_close(found: Any, expected: Any, what: str = "") -> None:
    """Equal but for the last digits of floats."""
    if isinstance(found, dict) and isinstance(expected, dict):
        assert set(found) == set(expected), f"{what}: {set(found) ^ set(expected)} are in one only"
        for key, value in expected.items():
            assert_close(found[key], value, f"{what} {key}")
    elif isinstance(expected, float) and isinstance(found, float):
        # by the square root of what is subtracted, which is up to 1: 1e-16 may become 1e-8
        assert math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12) or found == expected, (
            f"{what}: {found!r} is not {expected!r}"
        )
    else:
        assert found == expected, f"{what}: {found!r} is not {expected!r}"


def without(rows: Mapping[Any, Row], columns: Iterable[str]) -> dict[Any, Row]:
    """The rows without some columns."""
    left_out = set(columns)
    return {
        key: {name: value for name, value in row.items() if name not in left_out}
        for key, row in rows.items()
    }


def own(features: Mapping[Any, Row]) -> dict[Any, Row]:
    """The features that do not depend on other customers."""
    return without(features, RELATIVE)


def run_segments(shop: Shop) -> list[tuple[Any, ...]]:
    rows = shop.rows("select customer_id, segment from custseg.segments")
    return [(row["customer_id"], row["segment"]) for row in rows]


def run_tables(shop: Shop) -> dict[str, Rows]:
    tables = shop.con.execute(
        "select table_name from duckdb_tables() where schema_name = 'custseg'"
    ).fetchall()
    return {
        name: sorted(shop.con.execute(f"from custseg.{name}").fetchall(), key=repr)
        for (name,) in tables
    }
