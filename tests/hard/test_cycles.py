"""A slice of ``cycles``: a process of each kind of cycle, and some ways to end one."""

import pytest

from tests.hard import cycles


def test_connections_come_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    some = ("normal end", "a daemon that waits")
    monkeypatch.setattr(cycles, "EXITS", {name: cycles.EXITS[name] for name in some})
    figure = cycles.tried(16, seed=0)
    assert not figure.failures
    assert figure.counts["cycles"] == 16
    assert figure.counts["exits"] == len(some)
