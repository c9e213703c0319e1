"""Right by construction: relations between the answers for a shop and for one made from it.

No oracle says what an answer should be; each law says how two answers hang together, as SQLancer
does for databases. Every law is a function that is named as a sentence and takes a random shop.
"""

import warnings

import duckdb

import custseg_duck
from tests.hard.figure import Figure
from tests.hard.laws import bits, features, itemsets, lines, segments
from tests.hard.laws.comparing import LAWS, Law
from tests.hard.random_shops import Shop, open_shop

__all__ = ["LAWS", "Figure", "Shop", "bits", "features", "itemsets", "lines", "segments", "tried"]

PROMISED = 100  # shops
BROKEN = "broken laws"


def tried(n: int, *, seed: int) -> Figure:
    """All laws on ``n`` shops, of which ``seed`` is the first."""
    figure = Figure(must_be_zero=(BROKEN,))
    figure.counts["shops"] = n
    figure.counts["laws"] = len(LAWS)
    figure.counts["laws tried on a shop"] = 0
    for number in range(seed, seed + n):
        # one database a shop, since one holds one type of id
        with custseg_duck.connect(threads=2) as con, warnings.catch_warnings():
            warnings.simplefilter("ignore", custseg_duck.CustsegWarning)
            try:
                shop = open_shop(con, number)
            except duckdb.Error as error:
                figure.failed(BROKEN, f"seed {number}: no shop: {error}")
                continue
            for one in LAWS:
                try_law(figure, one, shop)
    return figure


def try_law(figure: Figure, one: Law, shop: Shop) -> None:
    """Count a law, and what breaks it."""
    figure.counts["laws tried on a shop"] += 1
    try:
        one(shop)
    except Exception as error:
        reason = str(error) or type(error).__name__
        figure.failed(BROKEN, f"seed {shop.seed}: {one.__name__}: {reason[:500]}")
