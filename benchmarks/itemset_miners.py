"""The contenders of run_itemsets.py: each mines one Parquet file, in a process of its own.

    python benchmarks/itemset_miners.py '["rusket", "lines.parquet", 0.01, 3, {}, false]'

prints seconds after the imports, the number of itemsets and, if asked, a checksum of all of them.
Peers are fed by pyarrow and numpy: only frequent items, encoded by whole numbers, as compressed
sparse rows; lines that are sorted and distinct are not sorted again.
"""

import hashlib
import importlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

MACROS = Path(__file__).parent.parent / "build" / "itemsets" / "macros.duckdb"

Found = Iterable[tuple[Iterable[object], int]]


def codes_of(column: Any) -> "tuple[np.ndarray, np.ndarray]":
    """Whole numbers from 0 for the values of a column, and the values by number."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_integer(column.type):  # as good as they are, if there are few gaps
        values = column.to_numpy()
        first, last = int(values.min()), int(values.max())
        if last - first < 4 * len(values):
            return (values - first).astype(np.int32), np.arange(first, last + 1)
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy(), encoded.dictionary.to_numpy(zero_copy_only=False)


def csr_of(path: Path, min_support: float) -> "tuple[np.ndarray, np.ndarray, int, np.ndarray]":
    """Frequent items of each order: row bounds, columns, number of orders, the items' ids."""
    import numpy as np
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=["order_id", "product_id"])
    orders, order_ids = codes_of(table["order_id"])
    items, item_ids = codes_of(table["product_id"])
    is_order = np.zeros(len(order_ids), dtype=bool)
    is_order[orders] = True
    n_orders = int(is_order.sum())
    least = math.ceil(min_support * n_orders - 1e-9)
    is_frequent = np.bincount(items, minlength=len(item_ids)) >= least
    kept = is_frequent[items]
    orders = orders[kept]
    columns = (np.cumsum(is_frequent, dtype=np.int32) - 1)[items[kept]]
    if not is_distinct_and_sorted(orders, columns):
        n_columns = max(int(is_frequent.sum()), 1)
        keys = np.sort(orders.astype(np.int64) * n_columns + columns)
        keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
        orders = keys // n_columns
        columns = (keys - orders * n_columns).astype(np.int32)
    sizes = np.bincount(orders, minlength=len(order_ids))[is_order]
    return np.concatenate([[0], sizes.cumsum()]), columns, n_orders, item_ids[is_frequent]


def is_distinct_and_sorted(orders: "np.ndarray", columns: "np.ndarray") -> bool:
    import numpy as np

    steps = orders[1:] - orders[:-1]
    return bool(np.all((steps > 0) | ((steps == 0) & (columns[1:] > columns[:-1]))))


def pyfim(path: Path, min_support: float, max_length: int | None) -> Found:
    from fim import eclat

    bounds, columns, n_orders, ids = csr_of(path, min_support)
    items, places = columns.tolist(), bounds.tolist()
    orders = [items[start:stop] for start, stop in pairwise(places)]
    least = math.ceil(min_support * n_orders - 1e-9)
    found = eclat(orders, target="s", supp=-least, zmin=1, zmax=max_length or -1, report="a")
    return [([ids[item] for item in members], count) for members, count in found]


def rusket(path: Path, min_support: float, max_length: int | None) -> Found:
    import numpy as np
    import rusket
    from scipy.sparse import csr_matrix

    bounds, columns, n_orders, ids = csr_of(path, min_support)
    matrix = csr_matrix(
        (np.ones(len(columns), dtype=bool), columns, bounds.astype(np.int32)),
        shape=(n_orders, len(ids)),
    )
    names = [str(item) for item in ids]
    found = rusket.fpgrowth(matrix, min_support=min_support, max_len=max_length, column_names=names)
    return _Frame(found, n_orders)


def mlxtend(path: Path, min_support: float, max_length: int | None) -> Found:
    import numpy as np
    import pandas as pd
    from mlxtend.frequent_patterns import fpgrowth
    from scipy.sparse import csr_matrix

    bounds, columns, n_orders, ids = csr_of(path, min_support)
    matrix = csr_matrix((np.ones(len(columns), dtype=bool), columns, bounds))
    frame = pd.DataFrame.sparse.from_spmatrix(matrix, columns=[str(item) for item in ids])
    return _Frame(fpgrowth(frame, min_support, max_len=max_length, use_colnames=True), n_orders)


def macro(path: Path, min_support: float, max_length: int | None, **config: Any) -> Found:
    """In a plain client, on a database that has the macros; in one statement."""
    import duckdb

    con = _shop(duckdb.connect(":memory:", config=config), path)
    con.execute(
        "create temp table itemsets as from custseg.frequent_itemsets('lines', "
        "min_support := $min_support, max_length := $max_length)",
        {"min_support": min_support, "max_length": max_length},
    )
    return _Relation(con.sql("from itemsets"))


def engine(path: Path, min_support: float, max_length: int | None, **config: Any) -> Found:
    """As custseg_duck.run mines: in a few statements."""
    import duckdb

    import custseg_duck

    con = _shop(duckdb.connect(":memory:", config=config), path)
    return _Relation(
        custseg_duck.frequent_itemsets(
            "lines", con=con, temporary=True, min_support=min_support, max_length=max_length
        )
    )


def _shop(con: Any, path: Path) -> Any:
    con.execute(f"attach '{MACROS}' as shop (read_only)")
    con.execute("use shop")
    con.execute(f"create temp view lines as from read_parquet('{path}')")
    return con


class _Frame:
    """The itemsets in a data frame with the columns itemsets and support."""

    def __init__(self, frame: Any, n_orders: int) -> None:
        self.frame, self.n_orders = frame, n_orders

    def __len__(self) -> int:
        return len(self.frame)

    def __iter__(self) -> Iterator[tuple[Iterable[object], int]]:
        for members, support in zip(self.frame["itemsets"], self.frame["support"], strict=True):
            yield members, round(support * self.n_orders)


class _Relation:
    """The itemsets in a table of DuckDB."""

    def __init__(self, relation: Any) -> None:
        self.relation = relation

    def __len__(self) -> int:
        return int(self.relation.aggregate("count(*)").fetchall()[0][0])

    def __iter__(self) -> Iterator[tuple[Iterable[object], int]]:
        yield from self.relation.project("items, support_count").fetchall()


CONTENDERS: dict[str, Callable[..., Any]] = {
    "macro": macro,
    "engine": engine,
    "pyfim": pyfim,
    "rusket": rusket,
    "mlxtend": mlxtend,
}
IMPORTS = {
    "macro": ("duckdb",),
    "engine": ("custseg_duck",),
    "pyfim": ("fim", "numpy", "pandas", "pyarrow.parquet"),
    "rusket": ("rusket", "numpy", "pandas", "scipy.sparse", "pyarrow.parquet"),
    "mlxtend": ("mlxtend.frequent_patterns", "scipy.sparse", "pyarrow.parquet"),
}


def checksum(found: Found) -> str:
    """Of all itemsets and their counts, whatever their order."""
    rows = sorted(f"{sorted(map(str, members))} {count}" for members, count in found)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:12]


def main() -> None:
    contender, path, min_support, max_length, config, is_checked = json.loads(sys.argv[1])
    for module in IMPORTS[contender]:
        importlib.import_module(module)
    began = time.perf_counter()
    found = CONTENDERS[contender](Path(path), min_support, max_length, **config)
    n_itemsets = len(found)
    seconds = time.perf_counter() - began
    print(
        json.dumps(
            {
                "wall": seconds,
                "n_itemsets": n_itemsets,
                "checksum": checksum(found) if is_checked else None,
            }
        )
    )


if __name__ == "__main__":
    main()
