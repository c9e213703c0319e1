"""An interrupt stops any stage within a second, and the run before is intact.

A process runs every job once to learn how long each phase takes, and then again and again,
interrupted at a random moment of a phase: by ``con.interrupt()`` from another thread, as a server
does, or by Ctrl-C. Jobs that tell no phases are interrupted at a random moment of all they take,
and the command line at a random moment of its process.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

import custseg_duck
from tests.conftest import QUICK
from tests.hard.figure import Figure

PROMISED = 100
MOST_SECONDS = 1.0
ASK_AGAIN = 0.3  # between two statements there is nothing that con.interrupt() could stop
LARGE = 100  # of so many interrupts on, the shop is a large one

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


class Moment(NamedTuple):
    """When to interrupt what, and how: ``delay`` seconds after the phase begins."""

    job: str
    phase: str
    way: str
    delay: float


class Found(NamedTuple):
    """What came of an interrupt.

    seconds : from it to the return; None if it was done before
    asked : how often; phase : in which one really; after : what was raised
    touched : tables of custseg that are not as before; left : what should not be there
    """

    moment: Moment
    seconds: float | None
    asked: int
    phase: str
    after: str
    is_clear: bool
    touched: list[str]
    left: list[str]


def tried(n: int, *, seed: int, jobs: Sequence[str] = tuple(JOBS)) -> Figure:
    """``n`` interrupts, over all phases of these jobs; a tenth of them are of the command line."""
    figure = Figure(
        must_be_zero=("later than 1 s", "previous run touched", "left behind", "unclear errors")
    )
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for found in _of_functions(figure, n - n // 10, seed, Path(folder), jobs):
            _count(figure, found, seconds)
        for found in _of_the_command(n // 10, seed, Path(folder)):
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


# --- functions, in a process of their own --------------------------------------------------------


def _of_functions(
    figure: Figure, n: int, seed: int, folder: Path, jobs: Sequence[str]
) -> Iterator[Found]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.hard.interrupts", str(n), str(seed), str(folder), *jobs],
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


def work(n: int, seed: int, folder: Path, jobs: Sequence[str]) -> None:
    """What the child does: prints what came of each interrupt."""
    warnings.simplefilter("ignore")
    chosen = random.Random(seed)
    random.seed(seed)
    with custseg_duck.connect(folder / "shop.duckdb", threads=2) as con:
        con.execute("set enable_progress_bar = false")
        _make_shop(con, is_large=n >= LARGE * 0.9)
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


def _make_shop(con: duckdb.DuckDBPyConnection, *, is_large: bool) -> None:
    con.execute(LINES, {"n": 3_000_000 if is_large else 30_000})
    con.execute(
        f"create table points as select i as customer_id, {POINTS} from range($n) as r (i)",
        {"n": 300_000 if is_large else 5_000},
    )
    con.execute("create table few as from order_lines where order_id < 100")


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
    before = _state(con)
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
    touched = [] if error is None else _changed(before, _state(con))
    return Found(
        moment,
        None if is_done else seconds,
        len(asked),
        interrupter.in_phase,
        repr(error)[:300],
        _is_clear(error, moment.way),
        touched,
        _left(con, folder),
    )


def _is_clear(error: BaseException | None, way: str) -> bool:
    if error is None:
        return True
    if way == "ctrl-c":
        return type(error) is KeyboardInterrupt
    return isinstance(error, custseg_duck.CustsegError) and "nterrupt" in str(error)


def _state(con: duckdb.DuckDBPyConnection) -> dict[str, object]:
    """What is in each table of custseg, and what the user has."""
    tables = con.execute(
        'select format(\'"{}"."{}"\', schema_name, table_name) from duckdb_tables() '
        "where database_name = current_database() order by all"
    ).fetchall()
    return {
        table: con.execute(
            f"select count(*), bit_xor(hash(one_row::varchar)) from {table} as one_row"
            if "custseg" in table
            else f"select count(*) from {table}"
        ).fetchall()
        for (table,) in tables
    }


def _changed(before: dict[str, object], after: dict[str, object]) -> list[str]:
    return sorted(
        table for table in before.keys() | after.keys() if before.get(table) != after.get(table)
    )


def _left(con: duckdb.DuckDBPyConnection, folder: Path) -> list[str]:
    """What should not be there any more, and that the next run does not succeed."""
    objects = con.execute(
        "select table_name from duckdb_tables() where temporary union all "
        "select view_name from duckdb_views() where temporary and not internal union all "
        "select database_name from duckdb_databases() "
        "where not internal and database_name <> current_database() union all "
        "select 'perfect_ht_threshold' where current_setting('perfect_ht_threshold') <> 12"
    ).fetchall()
    files = [path.name for path in folder.iterdir() if "custseg" in path.name]
    try:
        custseg_duck.run("few", con=con, name="few", k=2, **QUICK)
    except Exception as error:
        files.append(f"the next run: {error!r}")
    return [name for (name,) in objects] + files


# --- the command line ----------------------------------------------------------------------------


def _of_the_command(n: int, seed: int, folder: Path) -> Iterator[Found]:
    chosen = random.Random(seed)
    shop, copy = folder / "shop.duckdb", folder / "copy.duckdb"
    arguments = ["run", "order_lines", "-d", str(copy), "--name", "lines", "--quiet"]
    took = 0.0
    # where Ctrl-C is ignored, as in the background of a script, the command would inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for i in range(n + 1):
        shutil.copy(shop, copy)
        began = time.monotonic()
        with subprocess.Popen(
            [sys.executable, "-m", "custseg_duck.cli", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as child:
            if i == 0:
                child.communicate()
                took = time.monotonic() - began
                continue
            delay = 1 + chosen.random() * (took - 1)  # it takes a second to import everything
            time.sleep(delay)
            asked = time.monotonic()
            child.send_signal(signal.SIGINT)
            _, told = child.communicate()
        is_done = child.returncode == 0
        yield Found(
            Moment("custseg-duck run", "", "ctrl-c", delay),
            None if is_done else time.monotonic() - asked,
            1,
            "",
            told[:300],
            is_done or (child.returncode == 130 and told.startswith("Interrupted")),
            [] if is_done else _changed(_state_of(shop), _state_of(copy)),
            [],
        )


def _state_of(path: Path) -> dict[str, object]:
    with duckdb.connect(str(path)) as con:
        return _state(con)


if __name__ == "__main__":
    work(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
