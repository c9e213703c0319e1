"""A slice of ``memory``: a shop of a million lines, within 100 to 250 MB."""

from tests.hard import memory


def test_memory_is_bounded() -> None:
    figure = memory.tried(1_000_000, seed=0)
    assert not figure.failures
    assert figure.counts["jobs"] == len(memory.JOBS)
