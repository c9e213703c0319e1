"""A slice of ``locked``: a case or two of every setting."""

from tests.hard import locked


def test_it_works_locked_down() -> None:
    figure = locked.tried(60, seed=2)
    assert not figure.failures
    assert figure.counts["cases"] == 60
    assert figure.counts["same rows"] > 30
