"""Frequent itemsets against the fastest native miners, from one Parquet file to the result.

Each contender is a process of its own: ours as the macro ``custseg.frequent_itemsets`` in a plain
client, and as ``custseg_duck.run`` mines; pyfim (C), rusket (Rust) and, where it finishes, mlxtend,
which are fed by pyarrow and numpy. All run in turn; medians. Seconds are after the imports; CPU
seconds and peak memory are the operating system's, of the whole process. With --check all itemsets
and counts are compared by checksum (pyfim leaves out an item that is in every order).

    pip install pyfim rusket mlxtend
    python benchmarks/run_itemsets.py --rounds 3 --only "Instacart-like 300k"
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import itemset_data
import numpy as np
from itemset_miners import CONTENDERS, MACROS

import custseg_duck

FOLDER = Path(__file__).parent.parent / "build" / "itemsets"
LIBRARIES = ("custseg_duck", "duckdb", "mlxtend", "numpy", "pyarrow", "pyfim", "rusket")
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024
MINERS = Path(__file__).parent / "itemset_miners.py"
OURS = ("macro", "engine")
MLXTEND_CAN = ("quest", "mushroom", "chess")  # the others take it minutes or all memory

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


def measure(
    contender: str, job: Job, arguments: argparse.Namespace, *, is_checked: bool = False
) -> dict[str, Any]:
    """Run one contender as a process of its own."""
    config = {"memory_limit": arguments.memory_limit} if arguments.memory_limit else {}
    path = str(data_of(job.data, arguments.text))
    task = [
        contender,
        path,
        job.min_support,
        job.max_length,
        config if contender in OURS else {},
        is_checked,
    ]
    command = [sys.executable, str(MINERS), json.dumps(task)]
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


def data_of(name: str, text: bool) -> Path:
    """The file, made if it is not there."""
    path = FOLDER / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        print(f"making {path.name}", file=sys.stderr)
        DATA[name](path)
    if not text:
        return path
    text_path = FOLDER / f"{name}_text.parquet"
    if not text_path.exists():
        itemset_data.as_text_with_duplicates(text_path, path)
    return text_path


def run(job: Job, arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Medians of each contender, and whether all found the same."""
    names = [
        name
        for name in arguments.contenders
        if name != "mlxtend" or job.data in MLXTEND_CAN or arguments.contenders == ["mlxtend"]
    ]
    checksums = {
        name: measure(name, job, arguments, is_checked=True)["checksum"]
        for name in names
        if arguments.check
    }
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(arguments.rounds):
        for name, measured in rounds.items():
            measured.append(measure(name, job, arguments))
    return {
        name: {
            field: statistics.median(measured[field] for measured in each)
            for field in ("wall", "cpu", "rss", "n_itemsets")
        }
        | {"checksum": checksums.get(name, "")}
        for name, each in rounds.items()
    }


def show(job: Job, found: dict[str, dict[str, Any]], with_goal: bool) -> None:
    length = job.max_length or "no limit"
    print(f"\n{job.title}, {job.min_support} / {length}")
    for name, medians in found.items():
        print(
            f"  {name:<10}{medians['wall']:>8.2f} s{medians['cpu']:>8.2f} s CPU"
            f"{medians['rss']:>8.0f} MiB{medians['n_itemsets']:>10,.0f}  {medians['checksum']}"
        )
    ours = {name: found[name] for name in OURS if name in found}
    peers = {name: medians for name, medians in found.items() if name not in OURS}
    if ours and peers:
        best = min(ours.values(), key=lambda medians: medians["wall"])
        fastest = min(peers, key=lambda name: peers[name]["wall"])
        goal = f" (goal {job.goal})" if with_goal else ""
        print(
            f"  best of ours / {fastest}: wall {best['wall'] / peers[fastest]['wall']:.2f}{goal}, "
            f"CPU {best['cpu'] / peers[fastest]['cpu']:.2f}, "
            f"RSS {best['rss'] / peers[fastest]['rss']:.2f}"
        )
    if len(ours) == len(OURS):
        print(f"  macro / engine: wall {ours['macro']['wall'] / ours['engine']['wall']:.2f}")
    sys.stdout.flush()


def growth(arguments: argparse.Namespace) -> None:
    """The exponent of time in lines, by least squares of the logarithms."""
    import pyarrow.parquet as pq

    lines, seconds = [], []
    for data in GROWTH:
        job = Job("growth", data, 0.001, 3, 0)
        lines.append(pq.read_metadata(data_of(data, text=False)).num_rows)
        each = [measure(OURS[-1], job, arguments)["wall"] for _ in range(arguments.rounds)]
        seconds.append(statistics.median(each))
        print(f"  {lines[-1]:>12,} lines {seconds[-1]:>8.2f} s", flush=True)
    exponent = np.polyfit(np.log(lines), np.log(seconds), 1)[0]
    print(f"  seconds grow with lines to the power of {exponent:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="jobs whose title begins so")
    parser.add_argument("--contenders", nargs="*", default=list(CONTENDERS))
    parser.add_argument("--text", action="store_true", help="text ids, and duplicate lines")
    parser.add_argument("--memory-limit", help="of DuckDB, for ours")
    parser.add_argument("--check", action="store_true", help="compare all itemsets, not counts")
    parser.add_argument("--growth", action="store_true", help="only from 1M to 33M lines")
    arguments = parser.parse_args()
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    print(f"{os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f}")
    print(f"Python {platform.python_version()}, {versions}", flush=True)
    MACROS.parent.mkdir(parents=True, exist_ok=True)
    with custseg_duck.connect(MACROS):
        pass
    if arguments.growth:
        growth(arguments)
        return
    for job in JOBS:
        if job.title.startswith(arguments.only):
            show(job, run(job, arguments), with_goal=not arguments.text)


if __name__ == "__main__":
    main()
