"""A slice of ``laws``: one shop, with dates, amounts, departments and itemsets."""

import random

import custseg_duck
from tests.hard import laws


def test_laws_hold() -> None:
    figure = laws.tried(1, seed=8)
    assert not figure.failures
    assert figure.counts["laws tried on a shop"] == len(laws.LAWS)
    assert len(laws.LAWS) > 30


def test_a_law_that_is_broken_is_told() -> None:
    figure = laws.Figure(must_be_zero=(laws.BROKEN,))

    def nothing_is_bought(shop: laws.Shop) -> None:
        assert not shop, "something is"

    with custseg_duck.connect() as con:
        shop = laws.Shop(con, 7, random.Random(7), {}, [], "null", 1, 1, False)
        laws.try_law(figure, nothing_is_bought, shop)
    assert figure.failures[0].startswith("broken laws: seed 7: nothing_is_bought: something is")
