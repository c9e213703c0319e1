"""What a refresh costs beside a first run: Complete Journey, a day of new orders, nothing new.

Prints medians in seconds, and how many of the source's lines each has read.
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable

import duckdb

import custseg_duck
from custseg_duck import demo

OPTIONS = demo.OPTIONS | {"n_recommendations": 0, "segment_rules": False}
LAST_DAY = "2017-12-31"


def main() -> None:
    """Measure as asked on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    seconds: dict[str, list[float]] = defaultdict(list)
    lines: dict[str, int] = {}
    for _ in range(arguments.rounds):
        for fit in ("warm", "matched", "frozen"):
            with custseg_duck.connect() as con:
                measure(con, fit, seconds, lines)
    print(f"{'':<34}{'seconds':>8}{'lines read':>12}")
    for what, found in seconds.items():
        print(f"{what:<34}{statistics.median(found):>8.2f}{lines[what]:>12,}")


def measure(
    con: duckdb.DuckDBPyConnection,
    fit: str,
    seconds: dict[str, list[float]],
    lines: dict[str, int],
) -> None:
    """One shop: a first run, then refreshes of one kind."""
    con.execute("set enable_progress_bar = false")
    demo.make_order_lines(con)
    con.execute(
        "create sequence lines_read; create view shop as from order_lines "
        "where nextval('lines_read') > 0"  # so that every line that is read counts
    )

    def timed(what: str, work: Callable[[], object]) -> None:
        before = number_of_lines(con)
        began = time.perf_counter()
        work()
        seconds[what].append(time.perf_counter() - began)
        lines[what] = number_of_lines(con) - before - 1

    timed("first run", lambda: custseg_duck.run("shop", con=con, as_of=LAST_DAY, **OPTIONS))
    timed(f"refresh ({fit}), nothing new", lambda: refresh(con, fit, LAST_DAY))
    timed(f"refresh ({fit}), a day of orders", lambda: refresh(con, fit, "2018-01-01"))


def refresh(con: duckdb.DuckDBPyConnection, fit: str, as_of: str) -> None:
    """Go on from the run before."""
    custseg_duck.refresh(con=con, fit=fit, as_of=as_of)  # type: ignore[arg-type]


def number_of_lines(con: duckdb.DuckDBPyConnection) -> int:
    """How many numbers have been drawn, this one included."""
    ((number,),) = con.execute("select nextval('lines_read')").fetchall()
    return int(number)


if __name__ == "__main__":
    main()
