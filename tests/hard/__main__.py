"""Tries one promise in full: ``python -m tests.hard kills``. The exit code is 1 if it is broken."""

import argparse
import contextlib
import importlib
import sys
import threading
from collections.abc import Iterator

from tests.hard.figure import Figure, record

SUITES = (
    "calls", "kills", "faults", "memory", "crowd", "cycles", "interrupts", "names", "models",
    "locked", "laws", "oracles", "mutants",
)  # fmt: skip
TOLD_EVERY = 60  # seconds
MOST_TOLD = 50  # failures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.hard", description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--n", type=int, help="how many to try; by default the number promised")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", action="store_true", help="write the figure into the docs")
    given = parser.parse_args()
    suite = importlib.import_module(f"tests.hard.{given.suite}")
    with _told():
        figure: Figure = suite.tried(given.n or suite.PROMISED, seed=given.seed)
    sys.stdout.write(f"{given.suite}: {figure}\n")
    if given.record:
        record(given.suite, figure)
    sys.exit(bool(figure.failures))


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Say how far it is, and each failure soon after it is there."""
    is_done = threading.Event()

    def tell() -> None:
        n_told, is_last = 0, False
        while not is_last:
            is_last = is_done.wait(TOLD_EVERY)
            figure = Figure.latest
            if figure is None:
                continue
            failures = figure.failures[:MOST_TOLD]
            sys.stderr.writelines(f"{failure}\n" for failure in failures[n_told:])
            n_told = len(failures)
            if not is_last:
                sys.stderr.write(f"so far: {figure}\n")
            sys.stderr.flush()

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_done.set()
        thread.join()


if __name__ == "__main__":
    main()
