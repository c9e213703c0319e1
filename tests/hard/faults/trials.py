"""Lets things go wrong in a process of their own, and judges what is told and what is left."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from custseg_duck.pipeline import STEPS
from tests.hard import kills, states
from tests.hard.faults.kinds import Fault
from tests.hard.faults.sources import make_sources
from tests.hard.figure import Figure

HALF, UNCLEAR, SHUT = "half-written", "unclear errors", "files that do not open"
TRACES = "left behind"
MB = 1_000_000


class Trials:
    """Lets things go wrong one after another, and looks at what is left."""

    def __init__(self, folder: Path, figure: Figure, prepared: Path | None) -> None:
        self.folder, self.figure = folder, figure
        self.prepared = prepared or kills.prepare(folder / "prepared")
        self.sources = folder / "sources"
        make_sources(self.sources)
        self.steps: set[str] = set()
        self.mounts = True
        self.known: dict[tuple[object, ...], tuple[Any, Any]] = {}

    def suffer(self, fault: Fault, number: int) -> None:
        """One thing goes wrong."""
        expected = self._expected(fault)
        self.figure.counts["faults"] += 1
        self.figure.counts[fault.kind] += 1
        with self._stage(fault) as place:
            if fault.by_command:
                error = self._by_command(fault, place)
                found = {"left": [], "is_usable": True, "again": ""}
            else:
                found = self._by_call(fault, place, f"{number}: {fault}")
                error = found["error"]
            detail = f"{number}: {fault}: {error}"
            if error:
                self.figure.counts["failed"] += 1
                self._judge_error(fault, error, detail)
            elif fault.must_fail:
                self.figure.failed(UNCLEAR, f"{detail}: there was none")
            if not found["is_usable"]:
                self.figure.counts["connections that refuse"] += 1
                if found["again"].startswith("not ours") or not found["again"]:
                    self.figure.failed(UNCLEAR, f"{detail}, and then {found['again']}")
            self._enlarge(fault, place)
            self._judge(fault, place, expected, error, detail)
            unfinished = [str(file) for file in place.rglob("*") if ".custseg_" in file.name]
            if found["left"] or unfinished:
                self.figure.failed(TRACES, f"{detail}: {found['left']}, {unfinished}")

    def _judge_error(self, fault: Fault, error: dict[str, Any], detail: str) -> None:
        step = error["step"]
        if step:
            self.steps.add(step)
        is_named = error["class"] != "QueryError" or step in {*STEPS, "load", "source", "itemsets"}
        has_cause = error["class"] != "QueryError" or error["cause"].endswith("Exception")
        if not (error["is_ours"] and is_named and has_cause):
            self.figure.failed(UNCLEAR, f"{detail}: not ours, or no step or cause")
        elif not re.search(fault.says, error["message"]):
            self.figure.failed(UNCLEAR, f"{detail}: does not say {fault.says}")

    def _judge(self, fault: Fault, place: Path, expected: Any, error: Any, detail: str) -> None:
        before, after = expected
        try:
            found = _state(fault, place)
        except duckdb.Error as problem:
            self.figure.failed(SHUT, f"{detail}: {problem}")
            return
        if found == before and error:
            self.figure.counts["as before"] += 1
        elif found == after:
            self.figure.counts["as after"] += 1
            self.figure.counts["as after in spite of the error"] += bool(error)
        elif fault.how and not error:  # of what was read instead, no one knows
            self.figure.counts["of a changed source"] += 1
        else:
            differing = " and from after in ".join(
                states.differences(found[0] | {"file": found[1]}, state[0] | {"file": state[1]})
                for state in (before, after)
            )
            self.figure.failed(HALF, f"{detail}: differs from before in {differing}")

    def _expected(self, fault: Fault) -> tuple[Any, Any]:
        """What there is before, and after it went well."""
        source = fault.source if fault.how else "order_lines"
        key = (
            fault.work, fault.prepared, fault.target, source, fault.must_fail, fault.by_command,
        )  # fmt: skip
        if key not in self.known:
            well = Fault(
                "none", "", fault.work, fault.prepared, source, fault.target,
                by_command=fault.by_command,
            )  # fmt: skip
            with self._stage(well) as place:
                before = after = _state(well, place)
                if not fault.must_fail:
                    error = (
                        self._by_command(well, place)
                        if well.by_command
                        else self._by_call(well, place, str(well))["error"]
                    )
                    assert not error, error
                    after = _state(well, place)
            self.known[key] = before, after
        return self.known[key]

    @contextlib.contextmanager
    def _stage(self, fault: Fault) -> Iterator[Path]:
        """A folder with copies of what is worked on."""
        place = self.folder / "stage"
        place.mkdir()
        mounted = self._mounted(place) if fault.megabytes is not None else False
        try:
            (place / "a_file").write_text("no folder")
            origin = self.sources if fault.prepared == "large" else self.prepared
            for file in origin.glob(f"{fault.prepared}.duckdb*"):
                shutil.copy(file, place / file.name.replace(fault.prepared, "shop", 1))
            if (self.prepared / fault.target).is_file():
                shutil.copy(self.prepared / fault.target, place)
            if "." in fault.source:
                _copy(self.sources / fault.source, place)
            if mounted:
                self._resize(place, _size_of(place) + int((fault.megabytes or 0) * MB))
            yield place
        finally:
            if mounted:
                subprocess.run(["umount", place], check=True)
            shutil.rmtree(place)

    def _mounted(self, place: Path) -> bool:
        if self.mounts:
            done = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=1g", "custseg", place],
                capture_output=True, check=False,
            )  # fmt: skip
            self.mounts = done.returncode == 0
        return self.mounts

    def _resize(self, place: Path, size: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", place], check=True)

    def _enlarge(self, fault: Fault, place: Path) -> None:
        """Make room again, as whoever looks after the disk would."""
        if fault.megabytes is not None and self.mounts:
            self._resize(place, 2**30)

    def _by_call(self, fault: Fault, place: Path, detail: str) -> dict[str, Any]:
        job = {
            "database": str(place / "shop.duckdb"),
            "work": fault.work,
            "source": _source(fault, place),
            "target": str(place / fault.target),
            "settings": [setting.format(place=place) for setting in fault.settings],
            "file_size": fault.file_size,
            "at": fault.at,
            "how": fault.how,
            "spoiled": str(place / fault.source),
        }
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.hard.sufferers", json.dumps(job)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            self.figure.failed(UNCLEAR, f"{detail}: ended with {done.returncode}: {done.stderr}")
            return {"error": None, "left": [], "is_usable": True, "again": ""}
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def _by_command(self, fault: Fault, place: Path) -> dict[str, Any] | None:
        """The command's error as that of a call; a traceback or another code is none of ours."""
        source = [_source(fault, place)] if fault.work == "run" else []
        options = ("-k", "4", "--quiet") if fault.work == "run" else ("--quiet",)
        limit = ["prlimit", f"--fsize={fault.file_size}:"] if fault.file_size else []
        done = subprocess.run(
            [*limit, sys.executable, "-W", "ignore", "-m", "custseg_duck.cli", fault.work, *source,
             "-d", str(place / "shop.duckdb"), *options],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            return None
        said = done.stderr.strip()
        is_one_line = said.startswith("Error: ") and len(said.splitlines()) == 1
        self.figure.counts["errors of the command"] += 1
        return {
            "class": "the command's",
            "is_ours": done.returncode == 1 and is_one_line and not done.stdout,
            "step": "",
            "message": said,
            "cause": "",
        }


def _state(fault: Fault, place: Path) -> tuple[dict[str, str], str]:
    target = place / fault.target
    beside = ""
    if target.suffix == ".duckdb":
        beside = repr(states.state_of(target)) if target.exists() else "absent"
    elif fault.target:
        beside = states.bytes_of(target)
    return states.state_of(place / "shop.duckdb"), beside


def _source(fault: Fault, place: Path) -> str:
    return str(place / fault.source) if "." in fault.source else fault.source


def _copy(source: Path, place: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, place / source.name)
    else:
        shutil.copy(source, place)


def _size_of(place: Path) -> int:
    page = os.sysconf("SC_PAGE_SIZE")
    return sum((file.stat().st_size // page + 2) * page for file in place.rglob("*"))
