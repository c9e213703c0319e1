"""Whether the tests notice what is changed: one small change at a time, in a copy of the tree.

Each changed file has the tests that are about it; a change that they all pass with has survived:
it is equivalent, costs time only, or a test is missing. docs/mutants.md says which.
"""

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path

from tests.hard.figure import Figure
from tests.hard.mutants import changes, trees
from tests.hard.mutants.changes import ROOT, Change, changes_of, other_number
from tests.hard.mutants.subjects import TESTS
from tests.hard.mutants.trees import Copy

__all__ = ["ROOT", "TESTS", "Change", "Copy", "changes", "chosen", "other_number", "trees", "tried"]

PROMISED = 150
KILLED, SURVIVED = "killed", "survived, each told of in [mutants.md](mutants.md)"


def tried(n: int, *, seed: int) -> Figure:
    """Survivors are no failures: which one is, only a person can say."""
    figure = Figure(Counter({"changes": 0, KILLED: 0, SURVIVED: 0}))
    kinds: dict[str, list[bool]] = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder) / "tree")
        for change in chosen(n, seed):
            kinds.setdefault(change.kind, []).append(try_change(figure, copy, change))
    shares = [f"{kind} {sum(found)} of {len(found)}" for kind, found in sorted(kinds.items())]
    figure.notes.append(f"killed by kind: {', '.join(shares)}")
    return figure


def try_change(figure: Figure, copy: "Copy", change: Change) -> bool:
    """Whether the tests notice; tell of a change that survives at once."""
    is_noticed = copy.notices(change, TESTS[change.file])
    figure.counts["changes"] += 1
    figure.counts[KILLED if is_noticed else SURVIVED] += 1
    if not is_noticed:
        sys.stdout.write(f"survived: {change}\n")
        sys.stdout.flush()
    return is_noticed


def chosen(n: int, seed: int) -> list[Change]:
    """Some changes: of each file in turn, and within it of each kind in turn."""
    rng = random.Random(seed)
    of_files = []
    for file in sorted(TESTS):
        kinds: dict[str, list[Change]] = {}
        for change in changes_of(file):
            kinds.setdefault(change.kind, []).append(change)
        of_kinds = [rng.sample(kinds[kind], len(kinds[kind])) for kind in sorted(kinds)]
        rng.shuffle(of_kinds)
        of_files.append(list(in_turn(of_kinds)))
    return list(in_turn(of_files))[:n]


def in_turn(lists: list[list[Change]]) -> Iterator[Change]:
    return (change for change in chain(*zip_longest(*lists)) if change is not None)
