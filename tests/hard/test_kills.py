"""A slice of ``python -m tests.hard kills``."""

from pathlib import Path

from tests.hard import kills

SLICE = tuple(
    case
    for case in kills.CASES
    if (case.work, case.threshold) in {("refresh", "1KB"), ("unload", "1KB")}
    or case.target == "old.duckdb"
)


def test_nothing_is_lost_or_half_written(prepared: Path) -> None:
    figure = kills.tried(6, seed=1, cases=SLICE, prepared=prepared)
    assert not figure.failures
    assert figure.counts["kills"] == 6
    assert figure.counts["as before"] + figure.counts["as after"] == 6
    assert all(figure.counts[f"of {case.work}"] for case in SLICE)
