"""A process in which something goes wrong on purpose, and which tells how that was told.

``python -m tests.hard.sufferers`` takes one job, as JSON, and answers in JSON: which error came,
whether the connection can be used afterwards, and what is left on it.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

import custseg_duck
from tests.conftest import QUICK

SMALL: dict[str, Any] = {**QUICK, "k": 2}


def suffer(job: dict[str, Any]) -> dict[str, Any]:
    """Do a job under the conditions that it names, and say what came of it."""
    found: dict[str, Any] = {"error": None}
    con = duckdb.connect(job["database"])
    for setting in job["settings"]:
        con.execute(setting)
    _limit_files(job["file_size"])
    try:
        WORK[job["work"]](con, job, _spoiling(job))
    except BaseException as error:
        found["error"] = {
            "class": type(error).__name__,
            "is_ours": isinstance(error, custseg_duck.CustsegError),
            "step": getattr(error, "step", None),
            "message": str(error),
            "cause": type(error.__cause__).__name__,
        }
    _limit_files(None)
    found |= _afterwards(con)
    return found


def _afterwards(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Whether the connection is usable or refuses, and what temporary things are on it."""
    left: list[str] = []
    try:
        left += [
            name
            for (name,) in con.execute(
                "select table_name from duckdb_tables() where temporary union all "
                "select view_name from duckdb_views() where temporary and not internal"
            ).fetchall()
        ]
        left += [
            name
            for (name,) in con.execute(
                "select database_name from duckdb_databases() where not internal"
            ).fetchall()
            if name.startswith("custseg_")
        ]
        is_usable = True
    except duckdb.FatalException:
        is_usable = False
    again = ""
    if not is_usable:  # what whoever does not look at errors meets next
        try:
            custseg_duck.run("order_lines", con=con, **SMALL)
        except BaseException as error:
            again = f"{type(error).__name__}: {error}"
            if not isinstance(error, custseg_duck.CustsegError):
                again = f"not ours: {again}"
    con.close()
    return {"left": left, "is_usable": is_usable, "again": again}


def _limit_files(size: int | None) -> None:
    """No file may grow beyond so many bytes: what writes there gets an error, as of a full disk."""
    soft = resource.RLIM_INFINITY if size is None else size
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))


def _spoiling(job: dict[str, Any]) -> Callable[..., None]:
    """A callback of progress that does something to a file when a step begins."""

    def progress(step: str, *_numbers: object) -> None:
        if step != job["at"]:
            return
        victim = Path(job["spoiled"])
        match job["how"]:
            case "remove" if victim.exists():
                victim.unlink()
            case "cut":
                os.truncate(victim, victim.stat().st_size // 2)
            case "overwrite":
                victim.write_bytes(b"something else" * 1000)

    return progress


def _run(con: Any, job: dict[str, Any], progress: Any) -> object:
    return custseg_duck.run(job["source"], con=con, progress=progress, **SMALL | {"k": 4})


WORK: dict[str, Callable[[Any, dict[str, Any], Any], object]] = {
    "run": _run,
    "refresh": lambda con, _, progress: custseg_duck.refresh(con=con, progress=progress),
    "load": lambda con, *_: custseg_duck.load(con),
    "export": lambda con, job, _: custseg_duck.export(
        con, job["target"], tables=["order_lines"], overwrite=True
    ),
    "import_model": lambda con, job, _: custseg_duck.import_model(con, job["target"], name="new"),
    "export_model": lambda con, job, _: custseg_duck.export_model(con, job["target"]),
    "export_targets": lambda con, job, _: custseg_duck.export_targets(con, job["target"]),
    "frequent_itemsets": lambda con, *_: custseg_duck.frequent_itemsets(
        "order_lines", con=con, min_support=0.05
    ),
}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(suffer(json.loads(sys.argv[1]))))
