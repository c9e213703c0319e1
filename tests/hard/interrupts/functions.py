"""Functions that are interrupted, in a process of their own.

``python -m tests.hard.interrupts.functions`` prints what came of each interrupt.
"""

import json
import os
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

import custseg_duck
from tests.hard.interrupts.jobs import JOBS, make_shop
from tests.hard.interrupts.moments import MOST_SECONDS, Found, Moment, changed, left, state

ASK_AGAIN = 0.3  # between two statements there is nothing that con.interrupt() could stop
LARGE = 100  # of so many interrupts on, the shop is a large one


def work(n: int, seed: int, folder: Path, jobs: Sequence[str]) -> None:
    """What the child does: prints what came of each interrupt."""
    warnings.simplefilter("ignore")
    chosen = random.Random(seed)
    random.seed(seed)
    with custseg_duck.connect(folder / "shop.duckdb", threads=2) as con:
        con.execute("set enable_progress_bar = false")
        make_shop(con, is_large=n >= LARGE * 0.9)
        moments = [moment for job in jobs for moment in _moments(con, folder, job)]
        _print({"phases": len({moment[:2] for moment in moments})})
        for i in range(n):
            if i % len(moments) == 0:
                chosen.shuffle(moments)
            moment = moments[i % len(moments)]
            found = _interrupted(con, folder, moment._replace(delay=chosen.random() * moment.delay))
            _print(found._asdict())


def _print(found: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def _moments(con: duckdb.DuckDBPyConnection, folder: Path, job: str) -> list[Moment]:
    """Every phase of a job, both ways to interrupt, and how long it takes."""
    began = [("", time.monotonic())]

    def progress(step: str, *_: object) -> None:
        if step != began[-1][0]:
            began.append((step, time.monotonic()))

    JOBS[job].do(con, folder, progress)
    ends = [moment for _, moment in began[1:]] + [time.monotonic()]
    return [
        Moment(job, step, way, end - start)
        for (step, start), end in zip(began, ends, strict=True)
        for way in ("interrupt", "ctrl-c")
    ]


class Interrupter:
    """Interrupts once a phase has begun, and again until somebody says that it has returned."""

    def __init__(self, con: duckdb.DuckDBPyConnection, moment: Moment) -> None:
        self.con, self.moment = con, moment
        self.asked: list[float] = []
        self.returned: float | None = None
        self.phases = [""]
        self._has_begun, self._is_done = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> "Interrupter":
        signal.signal(signal.SIGINT, self._on_signal)
        self._thread.start()
        if not self.moment.phase:
            self._has_begun.set()
        return self

    def progress(self, step: str, *_: object) -> None:
        """What the job calls."""
        self.phases.append(step)
        if step == self.moment.phase:
            self._has_begun.set()

    def done(self) -> None:
        """Say that the job has returned."""
        self.returned = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._is_done.set()
        self._has_begun.set()
        self._thread.join()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def _on_signal(self, *_: object) -> None:
        if self.returned is None:
            raise KeyboardInterrupt

    def _ask(self) -> None:
        self._has_begun.wait()
        wait = self.moment.delay
        while not self._is_done.wait(wait):
            self.asked.append(time.monotonic())
            self.in_phase = self.phases[-1] if len(self.asked) == 1 else self.in_phase
            if self.moment.way == "interrupt":
                self.con.interrupt()
            else:
                os.kill(os.getpid(), signal.SIGINT)
            wait = ASK_AGAIN

    in_phase = ""


def _interrupted(con: duckdb.DuckDBPyConnection, folder: Path, moment: Moment) -> Found:
    before = state(con)
    error: BaseException | None = None
    with Interrupter(con, moment) as interrupter:
        try:
            try:
                JOBS[moment.job].do(con, folder, interrupter.progress)
            finally:
                interrupter.done()
        except BaseException as raised:
            error = raised
    asked, returned = interrupter.asked, interrupter.returned
    assert returned is not None
    seconds = returned - asked[0] if asked else None
    is_done = error is None and (seconds is None or seconds <= MOST_SECONDS)
    touched = [] if error is None else changed(before, state(con))
    return Found(
        moment,
        None if is_done else seconds,
        len(asked),
        interrupter.in_phase,
        repr(error)[:300],
        _is_clear(error, moment.way),
        touched,
        left(con, folder),
    )


def _is_clear(error: BaseException | None, way: str) -> bool:
    if error is None:
        return True
    if way == "ctrl-c":
        return type(error) is KeyboardInterrupt
    return isinstance(error, custseg_duck.CustsegError) and "nterrupt" in str(error)


if __name__ == "__main__":
    work(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
