"""The job of ``baseline_pandas.py`` with custseg_duck, as one process, into a new DuckDB file.

The source is a temporary view on the same two Parquet files: nothing is written before the run.
custseg_duck imports scikit-learn while it runs, so here that counts as time after imports.

Prints one JSON line; with ``--steps`` the seconds of each step too, on stderr; with
``--memory-limit SIZE`` under DuckDB's setting of that name.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import custseg_duck

START = time.perf_counter()

K = 6
MIN_SUPPORT = 0.001
MAX_LENGTH = 3
TIME_ZONE = "America/New_York"


def order_lines() -> str:
    """The statement sql/demo/order_lines.sql as one that makes a temporary view."""
    from custseg_duck import catalog, demo
    from custseg_duck.statements import quote_text

    # a view takes no parameters
    statement = catalog.statement("demo/order_lines").replace(
        "create or replace table", "create temp view"
    )
    for name in ("transactions", "products"):
        path = demo.data_folder() / f"{name}.parquet"
        statement = statement.replace(f"${name}", quote_text(str(path)))
    return statement


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", action="store_true")
    parser.add_argument("--memory-limit")
    arguments = parser.parse_args()
    config = {"memory_limit": arguments.memory_limit} if arguments.memory_limit else {}
    with tempfile.TemporaryDirectory() as folder:
        with custseg_duck.connect(Path(folder) / "shop.duckdb", **config) as con:
            con.execute(order_lines())
            began = time.perf_counter()
            result = custseg_duck.run(
                "order_lines",
                con=con,
                k=K,
                min_support=MIN_SUPPORT,
                max_length=MAX_LENGTH,
                time_zone=TIME_ZONE,
                decision_rules=False,
                segment_rules=False,
                n_recommendations=0,
            )
            ran = time.perf_counter()
            ((n_itemsets,),) = result.itemsets.aggregate("count(*)").fetchall()
            ((n_segments,),) = result.summary.aggregate("count(*)").fetchall()
            ((steps,),) = con.execute("select seconds from custseg.runs").fetchall()
        end = time.perf_counter()

    if arguments.steps:
        seconds = {"connect and view": began - START} | steps
        seconds["publish"] = ran - began - sum(steps.values())
        seconds["count and close"] = end - ran
        print(json.dumps({step: round(s, 3) for step, s in seconds.items()}), file=sys.stderr)
    print(
        json.dumps(
            {
                "seconds_after_imports": round(end - START, 3),
                "n_itemsets": n_itemsets,
                "n_segments": n_segments,
            }
        )
    )


if __name__ == "__main__":
    main()
