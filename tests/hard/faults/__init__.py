"""Nothing is half-written when the disk is full, memory or spill space ends, or files go away.

Each time a process works on a copy of a prepared database under conditions in which it must fail
somewhere, or at least may. Its error must be one of ours that says what failed; what is left must
be as before, or as after; and the connection must be usable without a trace, or refuse clearly.
"""

import random
import tempfile
from pathlib import Path

from tests.hard.faults.kinds import KINDS, Fault
from tests.hard.faults.trials import HALF, SHUT, TRACES, UNCLEAR, Trials
from tests.hard.figure import Figure

__all__ = ["HALF", "SHUT", "TRACES", "UNCLEAR", "Fault", "Trials", "tried"]

PROMISED = 300


def tried(n: int, *, seed: int = 0, prepared: Path | None = None) -> Figure:
    """Let ``n`` things go wrong."""
    chance = random.Random(seed)
    figure = Figure(must_be_zero=(HALF, UNCLEAR, SHUT, TRACES))
    figure.counts.update(dict.fromkeys(("faults", "failed", "as before", "as after"), 0))
    kinds = [kind for kind, share in KINDS.items() for _ in range(share)]
    chance.shuffle(kinds)
    with tempfile.TemporaryDirectory() as folder:
        trials = Trials(Path(folder), figure, prepared)
        for number in range(n):
            trials.suffer(kinds[number % len(kinds)](chance), number)
    steps = {step for step in trials.steps if step}
    figure.notes.append(f"in {len(steps)} steps")
    if not trials.mounts:
        figure.notes.append("without file systems of their own, which only root can mount")
    return figure
