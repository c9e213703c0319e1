"""No bad input crashes, hangs, or gives a wrong or NULL result in silence.

Generated calls of every public macro, function and option: good ones, and good ones with something
wrong. Processes of their own make them in batches, and write each call into a journal before it is
made, so that a crash names its call.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.hard.calling import world
from tests.hard.calling.judging import CRASHES, HANGS, MUST_BE_ZERO, RESULT
from tests.hard.calling.worker import BATCH, TEMPLATE
from tests.hard.figure import Figure

PROMISED = 100_000
PROCESSES = 2
KILLED_SECONDS = 30.0  # without a word in the journal


class Worker:
    """A process with batches to do; one that dies is followed by another, from the next batch."""

    def __init__(self, folder: Path, seed: int, first: int, last: int, n: int) -> None:
        self._folder, self._seed, self._next, self._last, self._n = folder, seed, first, last, n
        self.ends: dict[int, tuple[str, str]] = {}  # what ended a batch too early, and last words
        self._start()

    def _start(self) -> None:
        self._errors = self._folder / f"errors_{self._next}.txt"
        numbers = map(str, (self._seed, self._next, self._last, self._n))
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.hard.calling.worker", str(self._folder), *numbers],
                cwd=Path(__file__).parent.parent.parent,
                stderr=errors,
            )
        self._size, self._heard = -1, time.monotonic()

    def _journal(self) -> Path:
        while (self._folder / f"batch_{self._next + 1}.jsonl").exists():
            if self._next + 1 >= self._last:
                break
            self._next += 1
        return self._folder / f"batch_{self._next}.jsonl"

    def is_done(self) -> bool:
        """Whether all batches are done; looks after the process."""
        journal = self._journal()
        size = journal.stat().st_size if journal.exists() else -1
        if size != self._size:
            self._size, self._heard = size, time.monotonic()
        code = self._process.poll()
        if code == 0:
            return True
        if code is None and time.monotonic() - self._heard < KILLED_SECONDS:
            return False
        if code is None:
            self._process.kill()
            self._process.wait()
        words = self._errors.read_text(encoding="utf-8", errors="replace")[-600:]
        self.ends[self._next] = (HANGS if code is None else CRASHES, f"exit {code} {words}")
        self._next += 1
        if self._next >= self._last:
            return True
        self._start()
        return False


def tried(n: int, *, seed: int, counts_of: Counter[str] | None = None) -> Figure:
    """Make so many calls; ``counts_of`` takes the results of each macro and function."""
    figure = Figure(must_be_zero=MUST_BE_ZERO)
    figure.counts["calls"] = 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        world.build(folder / TEMPLATE)
        n_batches = -(-n // BATCH)
        share = -(-n_batches // PROCESSES)
        workers = [
            Worker(folder, seed, first, min(first + share, n_batches), n)
            for first in range(0, n_batches, share)
        ]
        waiting = workers
        while waiting := [worker for worker in waiting if not worker.is_done()]:
            time.sleep(0.2)
        ends = {number: end for worker in workers for number, end in worker.ends.items()}
        for number in range(n_batches):
            journal = folder / f"batch_{number}.jsonl"
            _read(figure, journal, f"seed {seed} batch {number}", ends.get(number), counts_of)
    return figure


def _read(
    figure: Figure,
    journal: Path,
    place: str,
    end: tuple[str, str] | None,
    counts_of: Counter[str] | None,
) -> None:
    """Count what a journal says."""
    lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
    entries = [json.loads(line) for line in lines]
    calls, outcomes = entries[0::2], entries[1::2]
    for call, outcome in zip(calls, outcomes, strict=False):
        figure.counts["calls"] += 1
        if outcome["kind"] in MUST_BE_ZERO:
            figure.failed(outcome["kind"], f"{call['call']} -- {outcome['detail']} ({place})")
        else:
            figure.counts[outcome["kind"]] += 1
        if counts_of is not None and outcome["kind"] == RESULT:
            counts_of[call["about"]] += 1
    if end:
        last = calls[-1]["call"] if len(calls) > len(outcomes) else "between calls"
        figure.failed(end[0], f"{last} -- {end[1]} ({place})")
