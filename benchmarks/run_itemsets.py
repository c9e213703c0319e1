"""Frequent itemsets against the fastest native miners, from one Parquet file to the result.

Each contender is a process of its own: ours as the macro ``custseg.frequent_itemsets`` alone and
with the steps of ``custseg_duck.run``; pyfim (C), rusket (Rust) and, where it finishes, mlxtend,
which are fed by pyarrow and numpy. All run in turn; medians. Seconds are after the imports; CPU
seconds and peak memory are the operating system's, of the whole process.

    pip install pyfim rusket mlxtend
    python benchmarks/run_itemsets.py --rounds 3 --only "Instacart-like 300k"
"""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import itemset_data
import numpy as np

import custseg_duck

FOLDER = Path(__file__).parent.parent / "build" / "itemsets"
MACROS = FOLDER / "macros.duckdb"
LIBRARIES = ("custseg_duck", "duckdb", "mlxtend", "numpy", "pyarrow", "pyfim", "rusket")
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024
FEW_CELLS = 60_000_000  # of a one-hot matrix that mlxtend can hold and finish with

DATA: dict[str, Callable[[Path], None]] = {
    "instacart_1m": lambda path: itemset_data.instacart(path, 100_000),
    "instacart_300k": lambda path: itemset_data.instacart(path, 300_000),
    "instacart_10m": lambda path: itemset_data.instacart(path, 1_000_000),
    "instacart": lambda path: itemset_data.instacart(path, 3_200_000),
    "products": lambda path: itemset_data.complete_journey(path, "product_id"),
    "types": lambda path: itemset_data.complete_journey(path, "product_type"),
    "categories": lambda path: itemset_data.complete_journey(path, "product_category"),
    "quest": itemset_data.quest,
    "mushroom": itemset_data.mushroom,
    "chess": itemset_data.chess,
}


class Job(NamedTuple):
    """What is mined of which file; goal: seconds of ours / of the fastest peer."""

    title: str
    data: str
    min_support: float
    max_length: int | None
    goal: float


JOBS = (
    Job("Instacart-like, 3.2M orders", "instacart", 0.001, 3, 0.33),
    Job("Instacart-like, 300k orders", "instacart_300k", 0.001, 3, 0.45),
    Job("Instacart-like, 300k orders", "instacart_300k", 0.0005, 4, 0.75),
    Job("Complete Journey, products", "products", 0.001, 3, 0.5),
    Job("Complete Journey, products", "products", 0.0005, 3, 0.9),
    Job("Complete Journey, product types", "types", 0.002, 3, 1.0),
    Job("Complete Journey, categories", "categories", 0.005, 4, 1.0),
    Job("Complete Journey, categories", "categories", 0.005, None, 1.0),
    Job("Quest T10I4D100K-like", "quest", 0.005, 4, 0.9),
    Job("Quest T10I4D100K-like", "quest", 0.001, None, 1.2),
    Job("mushroom-like", "mushroom", 0.2, 5, 1.5),
    Job("chess-like", "chess", 0.7, 5, 2.5),
    Job("Complete Journey, categories", "categories", 0.002, None, 2.0),
)
GROWTH = ("instacart_1m", "instacart_300k", "instacart_10m", "instacart")


def codes_of(column: Any) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers from 0 for the values of a column, and the values by number."""
    import pyarrow as pa

    if pa.types.is_integer(column.type):  # as good as they are, if there are few gaps
        values = column.to_numpy()
        first, last = int(values.min()), int(values.max())
        if last - first < 4 * len(values):
            return (values - first).astype(np.int32), np.arange(first, last + 1)
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy(), encoded.dictionary.to_numpy(zero_copy_only=False)


def csr_of(path: Path, min_support: float) -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
    """Frequent items of each order: row bounds, columns, number of orders, the items' ids."""
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


def is_distinct_and_sorted(orders: np.ndarray, columns: np.ndarray) -> bool:
    steps = orders[1:] - orders[:-1]
    return bool(np.all((steps > 0) | ((steps == 0) & (columns[1:] > columns[:-1]))))


def pyfim(path: Path, min_support: float, max_length: int | None) -> int:
    from fim import eclat

    bounds, columns, n_orders, ids = csr_of(path, min_support)
    items, places = columns.tolist(), bounds.tolist()
    orders = [items[start:stop] for start, stop in pairwise(places)]
    least = math.ceil(min_support * n_orders - 1e-9)
    found = eclat(orders, target="s", supp=-least, zmin=1, zmax=max_length or -1, report="a")
    return len([([ids[item] for item in members], count) for members, count in found])


def rusket(path: Path, min_support: float, max_length: int | None) -> int:
    import rusket
    from scipy.sparse import csr_matrix

    bounds, columns, n_orders, ids = csr_of(path, min_support)
    matrix = csr_matrix(
        (np.ones(len(columns), dtype=bool), columns, bounds.astype(np.int32)),
        shape=(n_orders, len(ids)),
    )
    names = [str(item) for item in ids]
    found = rusket.fpgrowth(matrix, min_support=min_support, max_len=max_length, column_names=names)
    return len(found)


def mlxtend(path: Path, min_support: float, max_length: int | None) -> int:
    import pandas as pd
    from mlxtend.frequent_patterns import fpgrowth
    from scipy.sparse import csr_matrix

    bounds, columns, _, ids = csr_of(path, min_support)
    matrix = csr_matrix((np.ones(len(columns), dtype=bool), columns, bounds))
    frame = pd.DataFrame.sparse.from_spmatrix(matrix, columns=ids)
    return len(fpgrowth(frame, min_support, max_len=max_length, use_colnames=True))


def macro(path: Path, min_support: float, max_length: int | None, **config: Any) -> int:
    """In a plain client: a copy of a database that has the macros."""
    import duckdb

    with duckdb.connect(":memory:", config=config) as con:
        con.execute(f"attach '{MACROS}' as shop (read_only)")
        con.execute("use shop")
        con.execute(f"create temp view lines as from read_parquet('{path}')")
        con.execute(
            "create temp table itemsets as from custseg.frequent_itemsets('lines', "
            "min_support := $min_support, max_length := $max_length)",
            {"min_support": min_support, "max_length": max_length},
        )
        ((n_itemsets,),) = con.execute("select count(*) from itemsets").fetchall()
        return int(n_itemsets)


def engine(path: Path, min_support: float, max_length: int | None, **config: Any) -> int:
    """As custseg_duck.run mines."""
    import duckdb

    with duckdb.connect(":memory:", config=config) as con:
        con.execute(f"attach '{MACROS}' as shop (read_only)")
        con.execute("use shop")
        con.execute(f"create temp view lines as from read_parquet('{path}')")
        found = custseg_duck.frequent_itemsets(
            "lines", con=con, temporary=True, min_support=min_support, max_length=max_length
        )
        ((n_itemsets,),) = found.aggregate("count(*)").fetchall()
        return int(n_itemsets)


CONTENDERS: dict[str, Callable[..., int]] = {
    "macro": macro,
    "engine": engine,
    "pyfim": pyfim,
    "rusket": rusket,
    "mlxtend": mlxtend,
}
IMPORTS = {
    "macro": ("duckdb",),
    "engine": ("custseg_duck",),
    "pyfim": ("fim", "pandas", "pyarrow.parquet"),
    "rusket": ("rusket", "pandas", "scipy.sparse", "pyarrow.parquet"),
    "mlxtend": ("mlxtend.frequent_patterns", "scipy.sparse", "pyarrow.parquet"),
}


def measure(contender: str, job: Job, text: bool, memory_limit: str | None) -> dict[str, float]:
    """Run one contender as a process of its own."""
    arguments = [contender, data_of(job.data, text), job.min_support, job.max_length, memory_limit]
    command = [sys.executable, __file__, "--child", json.dumps(arguments, default=str)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as stdout:
        output = stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{contender} failed with exit code {process.returncode}")
    return json.loads(output) | {
        "cpu": usage.ru_utime + usage.ru_stime,
        "rss": usage.ru_maxrss * MAXRSS_BYTES / 2**20,
    }


def child(contender: str, path: str, *options: Any) -> None:
    import importlib

    *options, memory_limit = options
    for module in IMPORTS[contender]:
        importlib.import_module(module)
    config = {"memory_limit": memory_limit} if memory_limit else {}
    began = time.perf_counter()
    n_itemsets = CONTENDERS[contender](Path(path), *options, **config)
    print(json.dumps({"wall": time.perf_counter() - began, "n_itemsets": n_itemsets}))


def data_of(name: str, text: bool) -> Path:
    """The file, made if it is not there."""
    path = FOLDER / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        DATA[name](path)
    if not text:
        return path
    text_path = FOLDER / f"{name}_text.parquet"
    if not text_path.exists():
        itemset_data.as_text_with_duplicates(text_path, path)
    return text_path


def can_one_hot(job: Job) -> bool:
    import pyarrow.parquet as pq

    return pq.read_metadata(data_of(job.data, text=False)).num_rows < FEW_CELLS // 30


def run(job: Job, arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Medians of each contender."""
    names = [
        name
        for name in arguments.contenders
        if name != "mlxtend" or (job.data in ("mushroom", "chess", "quest") and can_one_hot(job))
    ]
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(arguments.rounds):
        for name, measured in rounds.items():
            is_ours = name in OURS
            limit = arguments.memory_limit if is_ours else None
            measured.append(measure(name, job, arguments.text, limit))
    return {
        name: {field: statistics.median(m[field] for m in each) for field in each[0]}
        for name, each in rounds.items()
    }


OURS = ("macro", "engine")


def show(job: Job, found: dict[str, dict[str, float]]) -> None:
    length = job.max_length or "no limit"
    print(f"\n{job.title}, {job.min_support} / {length}")
    for name, medians in found.items():
        print(
            f"  {name:<10}{medians['wall']:>8.2f} s{medians['cpu']:>8.2f} s CPU"
            f"{medians['rss']:>8.0f} MiB{medians['n_itemsets']:>10,.0f}"
        )
    ours = [found[name] for name in OURS if name in found]
    peers = {name: medians for name, medians in found.items() if name not in OURS}
    if ours and peers:
        best = min(ours, key=lambda medians: medians["wall"])
        fastest = min(peers, key=lambda name: peers[name]["wall"])
        print(
            f"  best of ours / {fastest}: wall {best['wall'] / peers[fastest]['wall']:.2f} "
            f"(goal {job.goal}), CPU {best['cpu'] / peers[fastest]['cpu']:.2f}, "
            f"RSS {best['rss'] / peers[fastest]['rss']:.2f}"
        )
    if len(ours) == len(OURS):
        print(f"  macro / engine: wall {ours[0]['wall'] / ours[1]['wall']:.2f}")
    sys.stdout.flush()


def growth(arguments: argparse.Namespace) -> None:
    """The exponent of time in lines, by least squares of the logarithms."""
    import pyarrow.parquet as pq

    lines, seconds = [], []
    for data in GROWTH:
        job = Job("growth", data, 0.001, 3, 0)
        lines.append(pq.read_metadata(data_of(data, text=False)).num_rows)
        each = [measure(OURS[-1], job, False, None)["wall"] for _ in range(arguments.rounds)]
        seconds.append(statistics.median(each))
        print(f"  {lines[-1]:>12,} lines {seconds[-1]:>8.2f} s", flush=True)
    exponent = np.polyfit(np.log(lines), np.log(seconds), 1)[0]
    print(f"  seconds grow with lines to the power of {exponent:.2f}")


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        child(*json.loads(sys.argv[2]))
        return
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="jobs whose title begins so")
    parser.add_argument("--contenders", nargs="*", default=list(CONTENDERS))
    parser.add_argument("--text", action="store_true", help="text ids, and duplicate lines")
    parser.add_argument("--memory-limit", help="of DuckDB, for ours")
    parser.add_argument("--growth", action="store_true", help="only from 1M to 32M lines")
    arguments = parser.parse_args()
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    print(f"{os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f}")
    print(f"Python {platform.python_version()}, {versions}", flush=True)
    if arguments.growth:
        growth(arguments)
        return
    with custseg_duck.connect(MACROS):
        pass
    for job in JOBS:
        if job.title.startswith(arguments.only):
            show(job, run(job, arguments))


if __name__ == "__main__":
    main()
