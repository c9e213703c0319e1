"""A slice of ``oracles``: two shops."""

from tests.hard import oracles


def test_answers_are_as_defined() -> None:
    figure = oracles.tried(2, seed=5)
    assert not figure.failures
    n_of_a_seed = sum(len(macros) for macros, _ in (*oracles.SEEDED, *oracles.OF_A_SHOP))
    assert figure.counts["comparisons"] >= 2 * n_of_a_seed


def test_a_disagreement_is_told() -> None:
    figure = oracles.Figure(must_be_zero=(oracles.WRONG,))

    def compare() -> None:
        assert_is_told = 1 + 1 == 3
        assert assert_is_told, "one and one"

    oracles._compare(figure, oracles.Counter(), ("assign",), "seed 7: sums", compare)
    assert figure.failures[0].startswith("disagreements: seed 7: sums: one and one")
    assert figure.counts["comparisons"] == 1
