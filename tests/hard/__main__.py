"""Tries one promise in full: ``python -m tests.hard kills``. The exit code is 1 if it is broken."""

import argparse
import importlib
import sys

from tests.hard.figure import Figure, record

SUITES = (
    "calls", "kills", "faults", "memory", "crowd", "cycles", "interrupts", "names", "models",
    "locked", "laws", "oracles", "mutants",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.hard", description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--n", type=int, help="how many to try; by default the number promised")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", action="store_true", help="write the figure into the docs")
    given = parser.parse_args()
    suite = importlib.import_module(f"tests.hard.{given.suite}")
    figure: Figure = suite.tried(given.n or suite.PROMISED, seed=given.seed)
    sys.stdout.write(f"{given.suite}: {figure}\n")
    for failure in figure.failures[:50]:
        sys.stderr.write(f"{failure}\n")
    if given.record:
        record(given.suite, figure)
    sys.exit(bool(figure.failures))


if __name__ == "__main__":
    main()
