"""Generated shops that several tests use."""

import random


def medium_baskets() -> dict[int, set[str]]:
    """800 baskets of 30 products, some of them bought together."""
    rng = random.Random(5)
    weights = [1 / (rank + 2) for rank in range(30)]
    baskets = {}
    for order in range(800):
        drawn = set(rng.choices(range(30), weights, k=rng.randint(1, 8)))
        for item in list(drawn):
            if rng.random() < 0.4:
                drawn.add((item * 7 + 3) % 30)
        baskets[order] = {f"item {item:02}" for item in drawn}
    return baskets
