"""What takes a while, and the shop that it is done with."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb

import custseg_duck

LINES = """
    create table order_lines as
    select
        (hash(order_id) % ($n // 25 + 1))::integer as customer_id,
        order_id::integer as order_id,
        (2000 * pow((hash(order_id, line) % 1000000) / 1000000, 3))::integer as product_id,
        timestamp '2023-01-01' + interval 1 minute * ((hash(order_id, 7) % 525600)::integer)
            as ordered_at,
        1 + (hash(order_id, line, 1) % 3)::integer as quantity,
        ((hash(order_id, line, 2) % 5000) / 100)::decimal(10, 2) as amount,
        'department ' || (hash(order_id, line) % 1000000 // 100000) as department,
        'product ' || product_id as product_name,
    from range($n // 10) as orders (order_id)
    cross join range(10) as lines (line)
"""
POINTS = ", ".join(f"hash(i, {j}) / 1.8e19 as f{j}" for j in range(15))

Progress = Callable[..., None]


class Job(NamedTuple):
    """Something that takes a while; ``do`` is called with a folder to write to, and progress."""

    do: Callable[[duckdb.DuckDBPyConnection, Path, Progress], object]
    has_phases: bool = True


def _refresh(con: duckdb.DuckDBPyConnection, progress: Progress) -> object:
    # never the same options, so that there always is something to do
    least = 0.1 + random.random() / 100
    return custseg_duck.refresh(con=con, name="lines", min_confidence=least, progress=progress)


# In an order in which each finds what it needs
JOBS = {
    "run": Job(
        lambda con, _, progress: custseg_duck.run(
            "order_lines", con=con, name="lines", min_support=0.002, progress=progress
        )
    ),
    "refresh": Job(lambda con, _, progress: _refresh(con, progress)),
    "run by points": Job(
        lambda con, _, progress: custseg_duck.run(
            features="points", con=con, name="points", progress=progress
        )
    ),
    "run of a mixture": Job(
        lambda con, _, progress: custseg_duck.run(
            features="points", con=con, name="mixture", algorithm="gmm", progress=progress
        )
    ),
    "run that chooses k": Job(
        lambda con, _, progress: custseg_duck.run(
            features="points", con=con, name="chosen", k="auto", progress=progress
        )
    ),
    "frequent_itemsets": Job(
        lambda con, _, progress: custseg_duck.frequent_itemsets(
            "order_lines", con=con, into="found", min_support=0.001, progress=progress
        )
    ),
    "export": Job(
        lambda con, folder, _: custseg_duck.export(
            con, folder / "exported.duckdb", tables=["order_lines"], overwrite=True
        ),
        has_phases=False,
    ),
    "export_report": Job(
        lambda con, folder, _: custseg_duck.export_report(
            con, folder / "report.html", name="lines"
        ),
        has_phases=False,
    ),
}


def make_shop(con: duckdb.DuckDBPyConnection, *, is_large: bool) -> None:
    con.execute(LINES, {"n": 3_000_000 if is_large else 30_000})
    con.execute(
        f"create table points as select i as customer_id, {POINTS} from range($n) as r (i)",
        {"n": 300_000 if is_large else 5_000},
    )
    con.execute("create table few as from order_lines where order_id < 100")
