"""A slice of ``names``: a dozen names, through every door."""

from tests.hard import names


def test_names_are_only_names() -> None:
    figure = names.tried(12, seed=1)
    assert not figure.failures
    assert figure.counts["names"] == 12
    assert figure.counts["uses"] > 30
