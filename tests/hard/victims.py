"""A process that has imported everything, and forks children that work until they are killed.

``python -m tests.hard.victims`` takes one job a line, as JSON, and tells what its child tells: each
phase as it begins, "acknowledged" once the work has returned, "done" at the end. It has opened no
database and started no thread, so that a child is as if it had been started anew.
"""

import importlib
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import duckdb

import custseg_duck
from tests.conftest import QUICK

LIBRARIES = (
    "numpy", "pandas", "pyarrow.dataset", "pyarrow.parquet", "sklearn.tree", "sqlglot",
)  # fmt: skip
OPTIONS: dict[str, Any] = {"min_support": 0.02}
SMALL: dict[str, Any] = {**QUICK, "k": 2}

# what is said before a statement that begins like this, and what after it
STATEMENTS = {
    "begin": ("begin", "transaction"),
    "commit": ("commit", "committed"),
    "checkpoint": ("checkpoint", "checkpointed"),
    "attach": ("attach", "attached"),
    "detach": ("detach", "detached"),
    "copy": ("copy", "copied"),
    "rollback": ("rollback", "rolled back"),
}


def say(text: str) -> None:
    """One line to whoever kills, at once and whole."""
    os.write(1, f"{text}\n".encode())


class Telling:
    """A connection that says which statement of ``STATEMENTS`` begins and ends."""

    # so that it is one for those who ask
    __class__ = property(lambda _: duckdb.DuckDBPyConnection)  # type: ignore[assignment]

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    def execute(self, sql: str, *arguments: Any) -> duckdb.DuckDBPyConnection:
        before, after = STATEMENTS.get(sql.split(maxsplit=1)[0].lower(), ("", ""))
        if not before:
            return self._con.execute(sql, *arguments)
        say(before)
        result = self._con.execute(sql, *arguments)
        say(after)
        return result

    def cursor(self) -> "Telling":
        return Telling(self._con.cursor())

    def __enter__(self) -> "Telling":
        return self

    def __exit__(self, *error: object) -> None:
        self._con.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._con, name)


def _progress(step: str, *_numbers: object) -> None:
    say(step)


WORK: dict[str, Callable[[Any, str], object]] = {
    "load": lambda con, _: custseg_duck.load(con),
    "run": lambda con, _: custseg_duck.run(
        "order_lines", con=con, k=4, progress=_progress, **OPTIONS
    ),
    "refresh": lambda con, _: custseg_duck.refresh(con=con, progress=_progress),
    "export": lambda con, target: custseg_duck.export(
        con, target, tables=["order_lines"], overwrite=True
    ),
    "import_model": lambda con, target: custseg_duck.import_model(con, target, name="theirs"),
    "export_model": custseg_duck.export_model,
    "export_targets": custseg_duck.export_targets,
    "frequent_itemsets": lambda con, _: custseg_duck.frequent_itemsets(
        "order_lines", con=con, min_support=0.05, progress=_progress
    ),
    "unload": lambda con, _: custseg_duck.unload(con),
}


def work(job: dict[str, Any]) -> None:
    """Do a job, and say how far it is."""
    say("connect")
    con = duckdb.connect(job["database"])
    con.execute("set threads = 2")
    if job["checkpoint_threshold"]:
        con.execute(f"set checkpoint_threshold = '{job['checkpoint_threshold']}'")
    replace = os.replace

    def telling_replace(source: Any, target: Any) -> None:
        say("replace")
        replace(source, target)
        say("replaced")

    os.replace = telling_replace  # type: ignore[assignment]
    say(job["work"])
    WORK[job["work"]](Telling(con), job["target"])
    say("acknowledged")
    if job["afterwards"] == "checkpoint":
        Telling(con).execute("checkpoint")
    elif job["afterwards"] == "close":
        say("close")
        con.close()
    say("done")
    if job["waits"]:
        time.sleep(60)  # to be killed


def main() -> None:
    """Fork a child for each job; it is awaited only when the other side says so."""
    for library in LIBRARIES:
        importlib.import_module(library)
    say("ready")
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            try:
                say(f"pid {os.getpid()}")
                work(json.loads(line))
                os._exit(0)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        say("over")
        sys.stdin.readline()
        _, status = os.waitpid(pid, 0)
        say(f"ended {os.waitstatus_to_exitcode(status)}")


class Victims:
    """The other side: children to be followed and killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.hard.victims"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._next() == "ready"

    def __enter__(self) -> "Victims":
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def start(self, job: dict[str, Any]) -> int:
        """Start a child; its process id, which stays its own until ``end``."""
        self._tell(json.dumps(job))
        return int(self._next().removeprefix("pid "))

    def lines(self) -> Iterator[str]:
        """What the child says, up to its end."""
        while (line := self._next()) != "over":
            yield line

    def end(self) -> tuple[list[str], int]:
        """Wait for a child that was killed or has ended: what it said last, and how it ended."""
        self._tell("")
        said: list[str] = []
        while not (line := self._next()).startswith("ended "):
            if line != "over":
                said.append(line)
        return said, int(line.removeprefix("ended "))

    def _tell(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _next(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the victims' process has ended"
        return line.rstrip("\n")


if __name__ == "__main__":
    main()
