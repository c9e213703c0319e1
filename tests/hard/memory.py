"""Memory is bounded: DuckDB's limit holds for features, itemsets and a whole run, on any shop.

Each job is a process of its own on one file of order lines; what the operating system says was its
largest resident set is held against the limit, 350 MB for Python, its libraries and DuckDB's own
code, and the fit: twice its matrix of 8 bytes a customer and feature, since scikit-learn copies it
to take its variance, and a few more numbers a customer (order, segment, square).
"""

import contextlib
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb

import custseg_duck
from tests.hard.figure import Figure

PROMISED = 32_000_000  # order lines
OVERHEAD_MB = 350
NUMBERS = 5  # a customer, that the fit has beside its matrix

LINES = """
    create table order_lines as
    select
        (hash(order_id) % ($n // 16 + 1))::integer as customer_id,
        order_id::integer as order_id,
        -- some products are bought much more often than others
        (50000 * pow((hash(order_id, line) % 1000000) / 1000000, 3))::integer as product_id,
        timestamp '2023-01-01'
            + interval 1 minute * ((hash(order_id, 7) % 525600)::integer) as ordered_at,
        1 + (hash(order_id, line, 1) % 3)::integer as quantity,
        ((hash(order_id, line, 2) % 5000) / 100)::decimal(10, 2) as amount,
        'department ' || (hash(order_id, line) % 1000000 // 100000) as department,
    from range($n // 10) as orders (order_id)
    cross join range(10) as lines (line)
"""


class Job(NamedTuple):
    """What is made, and within which memory_limit.

    limit : in MB; do : what makes it, and gives how many rows; matrix : in bytes, of (customers,
    features)
    """

    limit: int
    do: Callable[[duckdb.DuckDBPyConnection], int]
    has_matrix: bool = False


class _EnoughError(Exception):
    """Ends a run once its features are there."""


def _features(con: duckdb.DuckDBPyConnection) -> int:
    rows: list[int] = []

    def stop(step: str, *_: object) -> None:
        if step == "rfm_names":  # the step after
            rows.append(_count(con, "custseg_run_customer_features"))
            raise _EnoughError

    with contextlib.suppress(_EnoughError):
        custseg_duck.run("order_lines", con=con, progress=stop)
    return rows[0]


def _features_at_once(con: duckdb.DuckDBPyConnection) -> int:
    con.execute("create table made as from custseg.customer_features('order_lines')")
    return _count(con, "made")


def _itemsets(con: duckdb.DuckDBPyConnection) -> int:
    custseg_duck.frequent_itemsets("order_lines", con=con, min_support=0.001, into="made")
    return _count(con, "made")


def _macro(con: duckdb.DuckDBPyConnection) -> int:
    con.execute(
        "create table made as from custseg.frequent_itemsets('order_lines', min_support := 0.001)"
    )
    return _count(con, "made")


def _run(con: duckdb.DuckDBPyConnection) -> int:
    custseg_duck.run("order_lines", con=con, min_support=0.001, n_recommendations=0)
    return _count(con, "custseg.segments")


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return con.table(table).shape[0]


JOBS = {
    "features of a run": Job(256, _features),
    "features by the macro": Job(1000, _features_at_once),
    "itemsets": Job(500, _itemsets),
    "itemsets by the macro": Job(500, _macro),
    "a whole run": Job(1000, _run, has_matrix=True),
}


def tried(n: int, *, seed: int) -> Figure:
    """All jobs on a shop of ``n`` lines; the data has no seed, since it is the same for all."""
    del seed
    figure = Figure(must_be_zero=("jobs above their limit", "jobs that failed"))
    figure.counts["lines"] = n
    with tempfile.TemporaryDirectory() as folder:
        shop = Path(folder) / "shop.duckdb"
        with custseg_duck.connect(shop) as con:
            con.execute(LINES, {"n": n})
        for name in JOBS:
            _try(figure, name, shop, n)
    return figure


def _try(figure: Figure, name: str, shop: Path, n: int) -> None:
    job = JOBS[name]
    limit = job.limit if n > 10_000_000 else max(job.limit // 4, 100)
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.hard.memory", name, str(shop), str(limit)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stderr is not None
        printed, complaint = child.stdout.read(), child.stderr.read()
        child.wait()
    if child.returncode or not printed:
        figure.failed("jobs that failed", f"{name}: {child.returncode} {complaint[-500:]}")
        return
    found = json.loads(printed)
    matrix = found["matrix"] / 1e6
    fit = 2 * matrix + (8 * NUMBERS * found["rows"] / 1e6 if matrix else 0)
    peak = found["peak"] / 1e6
    figure.counts["jobs"] += 1
    figure.notes.append(
        f"{name} ({found['rows']:,} rows, {time.monotonic() - began:.0f} s) took {peak:,.0f} MB at "
        f"memory_limit {limit} MB" + (f" and a matrix of {matrix:,.0f} MB" if matrix else "")
    )
    if peak > limit + OVERHEAD_MB + fit:
        figure.failed("jobs above their limit", figure.notes[-1])


def work(name: str, shop: str, limit: str) -> None:
    """What a child does."""
    job = JOBS[name]
    with custseg_duck.connect(
        shop, memory_limit=f"{limit}MB", temp_directory=f"{shop}.tmp", threads=2
    ) as con:
        con.execute("set enable_progress_bar = false")
        rows = job.do(con)
        matrix = 0
        if job.has_matrix:
            ((matrix,),) = con.execute(
                "select 8 * n_customers * len(model.features) from custseg.latest_models"
            ).fetchall()
        con.execute("drop table if exists made")
        sys.stdout.write(json.dumps({"rows": rows, "matrix": matrix, "peak": _peak()}))


def _peak() -> int:
    """The largest resident set of this process, in bytes.

    What getrusage says begins with that of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    work(*sys.argv[1:])
