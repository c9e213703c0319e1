"""A slice of ``models``: two dozen corrupted rows, and each kind of file."""

from tests.hard import models


def test_models_are_only_data() -> None:
    figure = models.tried(40, seed=1)
    assert not figure.failures
    assert (figure.counts["rows"], figure.counts["files"]) == (24, 16)
    assert figure.counts["refusals"] > 20
    assert figure.counts["assignments held against numpy"] > 90
