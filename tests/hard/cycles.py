"""Connections come and go: loaded, shared by cursors, closed while others still use them.

A process does cycles in 8 threads; where it crashes, the next one goes on and the crash is counted.
Then processes end in every way that they can, with connections open, and print nothing.
"""

import contextlib
import gc
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

import custseg_duck
from tests.hard.figure import Figure

PROMISED = 10_000
THREADS = 8
SHARED = 20  # cycles of a process; then the next one begins where it ended
STUCK = 600  # seconds that the cycles of a process never take, be the machine ever so busy

Con = duckdb.DuckDBPyConnection

# 20 points in two heaps: what the fit must give, however often connections come and go
POINTS = "(select [(i % 2) * 10.0 + i / 100] as features from range(20) as r (i)) as points"
SIZES = (
    "select list_sort(list_transform(custseg.kmeans_fit(features, k := 2).components, "
    f"lambda c: c.n)) from {POINTS}"
)
FAMILIAR = [([10, 10],)]


def _simple(chosen: random.Random, folder: Path) -> list[object]:
    with _connected(chosen, folder) as con:
        return [con.execute(SIZES).fetchall()]


def _cursors(chosen: random.Random, folder: Path) -> list[object]:
    """Cursors, which live as long as nobody closes the connection that they are of."""
    con = _connected(chosen, folder)
    cursors = [con.cursor() for _ in range(3)]
    is_closed = chosen.random() < 0.5
    if is_closed:
        con.close()
    del con
    gc.collect()
    found: list[object] = [_answer(cursor, is_closed) for cursor in cursors]
    for cursor in cursors:
        cursor.close()
    return found


def _others(chosen: random.Random, folder: Path) -> list[object]:
    """Connections of their own to one database: the functions of the first are there for all."""
    path = folder / f"shop {chosen.randrange(4)}.duckdb"
    con = custseg_duck.connect(path)
    others = [duckdb.connect(str(path)) for _ in range(3)]
    con.close()
    del con
    gc.collect()
    found: list[object] = [other.execute(SIZES).fetchall() for other in others]
    for other in others:
        other.close()
    return found


def _answer(con: Con, is_closed: bool) -> object:
    """What it answers; if it may be closed, that it says so is as good."""
    try:
        return con.execute(SIZES).fetchall()
    except (duckdb.ConnectionException, duckdb.InvalidInputException) as error:
        if is_closed and any(word in str(error) for word in ("closed", "No open result")):
            return FAMILIAR
        raise


def _loaded_again(chosen: random.Random, folder: Path) -> list[object]:
    del chosen, folder  # in memory: others would miss what is unloaded
    con = custseg_duck.connect()
    cursor = con.cursor()
    custseg_duck.load(cursor)
    del con
    gc.collect()
    custseg_duck.load(cursor)
    found = cursor.execute(SIZES).fetchall()
    custseg_duck.unload(cursor)
    custseg_duck.load(cursor)
    return [found, cursor.execute(SIZES).fetchall(), cursor.close()][:2]


def _closed_during_a_query(chosen: random.Random, folder: Path) -> list[object]:
    """The connection that registered the functions goes while another one calls one."""
    path = folder / f"shop {chosen.randrange(4)}.duckdb"
    con = custseg_duck.connect(path)
    other = duckdb.connect(str(path))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: other.execute(SIZES).fetchall())
        time.sleep(chosen.random() * 0.005)
        con.close()
        del con
        gc.collect()
        found = running.result()
    other.close()
    return [found]


def _closed_itself(chosen: random.Random, folder: Path) -> list[object]:
    """A connection is closed while it, or a cursor of it, is busy: DuckDB refuses one of both."""
    con = _connected(chosen, folder)
    busy = con.cursor() if chosen.random() < 0.5 else con
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(_answer, busy, True)
        time.sleep(chosen.random() * 0.005)
        with contextlib.suppress(duckdb.Error):
            con.close()
        found = running.result()
    con.close()
    return [found]


def _assigned(chosen: random.Random, folder: Path) -> list[object]:
    """Without a reference to what registered: the cursor alone, over many chunks."""
    cursor = _connected(chosen, folder).cursor()
    gc.collect()
    found = cursor.execute(
        f"with fitted as (select custseg.kmeans_fit(features, k := 2) as model from {POINTS}) "
        "select n from (select custseg.assign(model, [(i % 2) * 10.0]) as segment, count(*) as n "
        "from range(5000) as r (i) cross join fitted group by all)"
    ).fetchall()
    cursor.close()
    return [FAMILIAR if found == [(2500,), (2500,)] else found]


def _forgotten(chosen: random.Random, folder: Path) -> list[object]:
    """Nobody closes anything."""
    con = _connected(chosen, folder)
    return [con.execute(SIZES).fetchall()]


KINDS: tuple[Callable[[random.Random, Path], list[object]], ...] = (
    _simple, _cursors, _others, _loaded_again, _closed_during_a_query, _closed_itself, _assigned,
    _forgotten,
)  # fmt: skip


def _connected(chosen: random.Random, folder: Path) -> Con:
    if chosen.random() < 0.2:
        return custseg_duck.connect()
    # files that threads share: one instance, as long as one connection is open
    return custseg_duck.connect(folder / f"shop {chosen.randrange(4)}.duckdb")


def work(first: int, last: int, seed: int, folder: Path) -> None:
    """What a child does: prints the number of each cycle as it begins, and what was wrong."""
    lock = threading.Lock()

    def say(said: dict[str, object]) -> None:
        with lock:
            sys.stdout.write(json.dumps(said) + "\n")
            sys.stdout.flush()

    def cycle(number: int) -> None:
        chosen = random.Random(f"{seed} {number}")
        kind = KINDS[number % len(KINDS)]
        say({"began": number})
        try:
            wrong = [found for found in kind(chosen, folder) if found != FAMILIAR]
        except Exception as error:
            wrong = [repr(error)]
        say({"ended": number, "wrong": repr(wrong)[:300] if wrong else "", "kind": kind.__name__})

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(cycle, range(first, last)))


def tried(n: int, *, seed: int) -> Figure:
    """``n`` cycles, and all ways of ending a process."""
    figure = Figure(must_be_zero=("segfaults", "wrong answers", "noisy exits"))
    with tempfile.TemporaryDirectory() as folder:
        for first in range(0, n, SHARED * THREADS):
            _process(figure, first, min(first + SHARED * THREADS, n), seed, Path(folder))
        for name, program in EXITS.items():
            _exit(figure, name, program, Path(folder))
    return figure


def _process(figure: Figure, first: int, last: int, seed: int, folder: Path) -> None:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.hard.cycles", *map(str, (first, last, seed, folder))],
            capture_output=True, text=True, check=False, timeout=STUCK,
        )  # fmt: skip
    except subprocess.TimeoutExpired as stuck:
        figure.failed("wrong answers", f"cycles {first} to {last} are stuck: {stuck.stdout!r:.300}")
        return
    said = [json.loads(line) for line in done.stdout.splitlines()]
    ended = [one for one in said if "ended" in one]
    figure.counts["cycles"] += len(ended)
    for one in ended:
        if one["wrong"]:
            figure.failed("wrong answers", f"seed {seed}, cycle {json.dumps(one)}")
    if done.returncode:
        open_ones = {one["began"] for one in said if "began" in one} - {e["ended"] for e in ended}
        figure.failed(
            "segfaults",
            f"seed {seed}, cycles {sorted(open_ones)} of {first} to {last}: exit "
            f"{done.returncode} {done.stderr[-300:]}",
        )
    elif done.stderr:
        figure.failed("noisy exits", f"after cycles {first} to {last}: {done.stderr[:300]}")


# --- ways to end ---------------------------------------------------------------------------------

OPEN = f"""
import sys, os, threading, time, duckdb, custseg_duck
SIZES = {SIZES!r}
con = custseg_duck.connect(sys.argv[1])
cursor = con.cursor()
other = custseg_duck.load(duckdb.connect())
cursor.execute(SIZES).fetchall()
other.execute(SIZES).fetchall()
"""
# Each with what it prints on stderr of its own, and the exit code
EXITS = {
    "normal end": ("", "", 0),
    "a cursor alone": ("del con, other\n", "", 0),
    "sys.exit": ("sys.exit(3)\n", "", 3),
    "an exception": ("sys.excepthook = lambda *_: None\nraise ValueError\n", "", 1),
    "an open result": ("cursor.execute('from range(100000)')\n", "", 0),
    "an open transaction": ("cursor.execute('begin')\n", "", 0),
    # not one that is at a query: Python's end then aborts the process, with DuckDB alone as well
    "a daemon that waits": (
        "def go():\n    cursor.execute(SIZES).fetchall(); time.sleep(60)\n"
        "threading.Thread(target=go, daemon=True).start(); time.sleep(0.5)\n",
        "",
        0,
    ),
    "a thread that ends later": (
        "def go():\n    time.sleep(0.3); cursor.execute(SIZES).fetchall()\n"
        "threading.Thread(target=go).start()\n",
        "",
        0,
    ),
    "a cursor that the thread made": (
        "def go():\n"
        "    global kept\n    kept = con.cursor(); kept.execute(SIZES).fetchall()\n"
        "thread = threading.Thread(target=go); thread.start(); thread.join()\n",
        "",
        0,
    ),
    "a fork that ends": (
        "import warnings; warnings.simplefilter('ignore')\n"
        "child = os.fork()\n"
        "if child == 0: os._exit(0)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n",
        "",
        0,
    ),
    "os._exit": ("os._exit(4)\n", "", 4),
    "a reference cycle": ("class A: pass\na = A(); a.a = a; a.con = con; del con, a\n", "", 0),
}


def _exit(figure: Figure, name: str, program: tuple[str, str, int], folder: Path) -> None:
    text, told, code = program
    try:
        done = subprocess.run(
            [sys.executable, "-c", OPEN + text, str(folder / "exits.duckdb")],
            capture_output=True, text=True, check=False, timeout=STUCK,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        figure.failed("noisy exits", f"{name}: still there after {STUCK} s")
        return
    figure.counts["exits"] += 1
    if done.returncode < 0:
        figure.failed("segfaults", f"{name}: {done.returncode} {done.stderr[:300]}")
    elif (done.stdout, done.stderr, done.returncode) != ("", told, code):
        figure.failed("noisy exits", f"{name}: {done.returncode} {done.stdout}{done.stderr:.500}")


if __name__ == "__main__":
    work(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
