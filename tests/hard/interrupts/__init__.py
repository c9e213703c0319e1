"""An interrupt stops any stage within a second, and the run before is intact.

A process runs every job once to learn how long each phase takes, and then again and again,
interrupted at a random moment of a phase: by ``con.interrupt()`` from another thread, as a server
does, or by Ctrl-C. Jobs that tell no phases are interrupted at a random moment of all they take,
and the command line at a random moment of its process.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.hard.figure import Figure
from tests.hard.interrupts.command import of_the_command
from tests.hard.interrupts.jobs import JOBS
from tests.hard.interrupts.moments import MOST_SECONDS, Found, Moment

PROMISED = 100


def tried(n: int, *, seed: int, jobs: Sequence[str] = tuple(JOBS)) -> Figure:
    """``n`` interrupts, over all phases of these jobs; a tenth of them are of the command line."""
    figure = Figure(
        must_be_zero=("later than 1 s", "previous run touched", "left behind", "unclear errors")
    )
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for found in _of_functions(figure, n - n // 10, seed, Path(folder), jobs):
            _count(figure, found, seconds)
        for found in of_the_command(n // 10, seed, Path(folder)):
            _count(figure, found, seconds)
    if seconds:
        seconds.sort()
        figure.notes.append(
            f"the longest took {seconds[-1]:.2f} s, 99% at most "
            f"{seconds[int(0.99 * (len(seconds) - 1))]:.2f} s"
        )
    return figure


def _count(figure: Figure, found: Found, seconds: list[float]) -> None:
    if found.seconds is None:
        figure.counts["that came when it was done"] += 1
    else:
        figure.counts["interrupts"] += 1
        figure.counts["of them asked twice"] += found.asked > 1
        seconds.append(found.seconds)
    detail = json.dumps(found._asdict() | {"moment": found.moment._asdict()})
    if found.seconds is not None and found.seconds > MOST_SECONDS:
        figure.failed("later than 1 s", detail)
    if found.touched:
        figure.failed("previous run touched", detail)
    if found.left:
        figure.failed("left behind", detail)
    if not found.is_clear:
        figure.failed("unclear errors", detail)


def _of_functions(
    figure: Figure, n: int, seed: int, folder: Path, jobs: Sequence[str]
) -> Iterator[Found]:
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.hard.interrupts.functions",
            str(n),
            str(seed),
            str(folder),
            *jobs,
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            found = json.loads(line)
            if "phases" in found:
                figure.counts["phases"] = found["phases"]
            else:
                yield Found(**found | {"moment": Moment(*found["moment"])})
    if child.returncode:
        figure.failed("left behind", f"the child ended with {child.returncode}")
