"""Points: vectors as one array, in an order that depends on their values alone."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

LARGEST = 1e100  # squares of differences must stay far below the largest double
BLOCK_ROWS = 1 << 14
MAX_SEED = 2**32 - 1

# odd multipliers of a 64-bit mix (Steele, Lea & Flood, SplitMix, 2014)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def prepare(points: Floats, k: Any, seed: Any, features: list[dict[str, Any]] | None) -> int:
    """Sort the rows in place and refuse what cannot be fitted; k as an int.

    Raises
    ------
    ValueError
        If points, k or seed are not as in ``fit``, or ``features`` are not one per column.
    """
    check(points)
    whole_number(seed, "seed", 0, MAX_SEED)
    n_distinct = sort_rows(points)
    if features is not None and len(features) != points.shape[1]:
        raise ValueError(
            f"transform must have one entry per feature, "
            f"got {len(features)} for {points.shape[1]} features [vector-length]"
        )
    return whole_number(k, "k", 1, n_distinct, "the distinct rows")


def check(points: Floats) -> None:
    """Refuse what cannot be clustered.

    Raises
    ------
    ValueError : if there is no row or no feature, or a value is not finite or beyond 1e100.
    """
    n_rows, n_features = points.shape
    if n_rows == 0 or n_features == 0:
        raise ValueError(
            f"features must have at least one row and one value, got {n_rows} x "
            f"{n_features} [no-rows]"
        )
    for start in range(0, n_rows, BLOCK_ROWS):
        block = points[start : start + BLOCK_ROWS]
        if not np.all(np.abs(block) <= LARGEST):
            worst = block[~(np.abs(block) <= LARGEST)][0]
            raise ValueError(f"features must be finite and within 1e100, got {worst} [not-finite]")


def sort_rows(points: Floats) -> int:
    """Sort rows in place by a hash of their bits, ties by value; count the distinct rows.

    The order is the same however the rows came, and as good as random: the first rows are
    a sample. Works a column at a time, so that no second copy of the points is made.
    """
    points += 0.0  # -0.0 and 0.0 are one value
    keys = np.zeros(len(points), dtype=np.uint64)
    for column in points.T:
        keys ^= np.ascontiguousarray(column).view(np.uint64)
        keys ^= keys >> np.uint64(30)
        keys *= _MIX[0]
        keys ^= keys >> np.uint64(27)
        keys *= _MIX[1]
        keys ^= keys >> np.uint64(31)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    tied = np.zeros(len(points), dtype=bool)
    tied[1:] = keys[1:] == keys[:-1]
    n_distinct = len(points) - int(tied.sum())
    tied[:-1] |= tied[1:]
    (ties,) = np.nonzero(tied)
    if len(ties):
        rows = points[order[ties]]
        by_value = np.lexsort((*rows.T[::-1], keys[ties]))
        order[ties] = order[ties][by_value]
        rows = rows[by_value]
        same_key = keys[ties][1:] == keys[ties][:-1]
        n_distinct += int((same_key & (rows[1:] != rows[:-1]).any(axis=1)).sum())
    for column in points.T:
        column[:] = column[order]
    return n_distinct


def whole_number(value: Any, name: str, low: int, high: int, high_name: str = "") -> int:
    """``value`` if it is an integer from ``low`` to ``high``, else a ValueError that says so."""
    if value is None or not low <= value <= high:
        bound = f"{high} ({high_name})" if high_name else str(high)
        raise ValueError(f"{name} must be between {low} and {bound}, got {value} [option]")
    return int(value)
