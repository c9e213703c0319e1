"""Order lines to mine, seeded: like Instacart, IBM Quest's T10I4D100K, mushroom and chess.

Each maker writes a Parquet file with the columns order_id and product_id, integers, each pair once,
in row groups of 122,880 rows, the orders one after another.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP = 122_880


def write(path: Path, orders: np.ndarray, items: np.ndarray, n_items: int) -> None:
    """Write each pair of order and item once, sorted by order."""
    keys = np.unique(orders.astype(np.int64) * n_items + items)
    table = pa.table({"order_id": keys // n_items + 1, "product_id": keys % n_items + 1})
    pq.write_table(table, path, row_group_size=ROW_GROUP)


def instacart(path: Path, n_orders: int) -> None:
    """Zipf-like popularity over 50,000 products, baskets of 1 to 100, mean 10, planted groups.

    3,000 groups of two to four products are bought together on purpose; every second order holds
    some of one.
    """
    rng = np.random.default_rng(2026)
    n_items, n_groups, largest = 50_000, 3_000, 100
    popularity = 1 / (np.arange(n_items) + 8.0) ** 0.96
    popularity /= popularity.sum()
    places = popularity.cumsum()
    group_popularity = 1 / (np.arange(n_groups) + 10.0) ** 0.8
    group_places = (group_popularity / group_popularity.sum()).cumsum()
    group_sizes = rng.integers(2, 5, n_groups)
    groups = np.searchsorted(places, rng.random((n_groups, 4)) ** 0.8 * 0.9)
    keys = []
    for start in range(0, n_orders, 200_000):  # in parts, to bound memory
        n = min(200_000, n_orders - start)
        sizes = np.clip(rng.lognormal(1.9, 0.8, n).round().astype(int), 1, largest - 4)
        orders = np.repeat(np.arange(n), sizes)
        items = np.searchsorted(places, rng.random(sizes.sum()))
        chosen = np.searchsorted(group_places, rng.random(n // 2))
        members = (np.arange(4) < group_sizes[chosen][:, None]) & (rng.random((n // 2, 4)) < 0.9)
        which, place = members.nonzero()
        grouped = rng.permutation(n)[: n // 2]
        keys.append(
            np.unique(
                np.concatenate(
                    [
                        (orders + start) * n_items + items,
                        (grouped[which] + start) * n_items + groups[chosen[which], place],
                    ]
                )
            )
        )
    all_keys = np.concatenate(keys)
    write(path, all_keys // n_items, all_keys % n_items, n_items)


def quest(path: Path, n_orders: int = 100_000) -> None:
    """IBM Quest's T10I4: baskets of 10 on average, of 2,000 patterns of 4, over 1,000 items.

    Agrawal & Srikant (1994), section 4: successive patterns share items (correlation 0.5), and
    each is corrupted as it is bought (mean 0.5, variance 0.1).
    """
    rng = np.random.default_rng(1994)
    n_items, n_patterns = 1_000, 2_000
    patterns: list[np.ndarray] = []
    for size in np.maximum(rng.poisson(4 - 1, n_patterns) + 1, 1):
        before = patterns[-1] if patterns else np.empty(0, dtype=np.int64)
        n_kept = min(round(min(rng.exponential(0.5), 1) * size), len(before))
        kept = rng.choice(before, n_kept, replace=False)
        new = rng.choice(np.setdiff1d(np.arange(n_items), kept), size - n_kept, replace=False)
        patterns.append(np.concatenate([kept, new]).astype(np.int64))
    weights = rng.exponential(1, n_patterns)
    places = (weights / weights.sum()).cumsum()
    corruption = np.clip(rng.normal(0.5, 0.1**0.5, n_patterns), 0, 1)
    keys: list[int] = []
    left_over: np.ndarray | None = None
    for order in range(n_orders):
        size, basket = max(rng.poisson(10 - 1) + 1, 1), set[int]()
        while len(basket) < size:
            chosen = int(np.searchsorted(places, rng.random()))
            pattern = patterns[chosen] if left_over is None else left_over
            left_over = None
            kept = rng.permutation(pattern)
            n_dropped = rng.geometric(1 - corruption[chosen]) - 1 if corruption[chosen] < 1 else 99
            kept = kept[: max(len(kept) - n_dropped, 0)]
            # one that does not fit is bought all the same, or left for the next order
            if len(basket) + len(kept) > size and basket and rng.random() < 0.5:
                left_over = pattern
                break
            basket.update(kept.tolist())
        keys += [order * n_items + item for item in basket]
    all_keys = np.array(keys)
    write(path, all_keys // n_items, all_keys % n_items, n_items)


def dense(path: Path, n_orders: int, n_values: list[int], skew: float, n_types: int) -> None:
    """Every order has one value of each attribute, as mushrooms and chess positions do.

    The orders are of a few types, each with its own favourite values; the larger the skew, the
    more often they have them.
    """
    rng = np.random.default_rng(23)
    offsets = np.cumsum([0, *n_values])
    types = (rng.random(n_orders) ** 1.5 * n_types).astype(int)
    columns = []
    for n, offset in zip(n_values, offsets, strict=False):
        common = rng.dirichlet(np.full(n, 0.5))
        tables = np.stack([rng.dirichlet(common * n / skew + 1e-3) for _ in range(n_types)])
        drawn = (rng.random((n_orders, 1)) > tables.cumsum(axis=1)[types]).sum(axis=1)
        columns.append(offset + np.minimum(drawn, n - 1))
    items = np.stack(columns, axis=1)
    orders = np.repeat(np.arange(n_orders), len(n_values))
    write(path, orders, items.ravel(), int(offsets[-1]))


def mushroom(path: Path) -> None:
    """8,124 orders of 23 attributes, 119 items."""
    n_values = [2, 6, 4, 10, 2, 9, 2, 2, 2, 12, 2, 5, 4, 4, 9, 9, 1, 4, 3, 5, 9, 6, 7]
    dense(path, 8_124, n_values, skew=2.0, n_types=5)


def chess(path: Path) -> None:
    """3,196 orders of 37 attributes, 75 items."""
    dense(path, 3_196, [3, *[2] * 36], skew=0.8, n_types=1)


def complete_journey(path: Path, column: str) -> None:
    """The baskets of the Complete Journey by product_id, product_type or product_category."""
    import duckdb

    from custseg_duck import demo

    transactions, products = (
        str(demo.data_folder() / f"{name}.parquet") for name in ("transactions", "products")
    )
    keys = duckdb.execute(
        "select dense_rank() over (order by basket_id)::bigint as order_id, "
        "dense_rank() over (order by item)::bigint as item_id from ("
        "select basket_id, columns(lambda name: name = $column) as item "
        "from (select transactions.*, product_type, product_category "
        "from read_parquet($transactions) as transactions left join read_parquet($products) "
        "using (product_id)) where quantity > 0) where item is not null",
        {"column": column, "transactions": transactions, "products": products},
    ).fetchnumpy()
    write(path, keys["order_id"], keys["item_id"], int(keys["item_id"].max()) + 1)


def as_text_with_duplicates(path: Path, source: Path) -> None:
    """The same lines with text ids, and every tenth of them twice."""
    import duckdb

    duckdb.execute(
        "copy (select 'order ' || order_id as order_id, 'product ' || product_id as product_id "
        "from (select *, file_row_number as number from read_parquet($source, "
        "file_row_number := true)), range(2) as copies(copy) "
        "where copy = 0 or number % 10 = 0) to $path (format parquet)",
        {"source": str(source), "path": str(path)},
    )
