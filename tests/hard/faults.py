"""Nothing is half-written when the disk is full, memory or spill space ends, or files go away.

Each time a process works on a copy of a prepared database under conditions in which it must fail
somewhere, or at least may. Its error must be one of ours that says what failed; what is left must
be as before, or as after; and the connection must be usable without a trace, or refuse clearly.
"""

import contextlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

import custseg_duck
from custseg_duck.pipeline import STEPS
from tests.hard import kills, states
from tests.hard.figure import Figure
from tests.hard.sufferers import SMALL

PROMISED = 300

HALF, UNCLEAR, SHUT = "half-written", "unclear errors", "files that do not open"
TRACES = "left behind"

N_LINES = 150_000
TOO_LARGE = r"File too large|No space left|failed to offload|Out of Memory"
NO_MEMORY = r"Out of Memory"
MB = 1_000_000


@dataclass(frozen=True)
class Fault:
    """What is done under which conditions, and what a person must be able to read of it.

    says : a pattern of the error's message; must_fail : or else it may also succeed;
    megabytes : of a file system of its own, where that is permitted
    """

    kind: str
    says: str
    work: str = "run"
    prepared: str = "ran"
    source: str = "order_lines"
    target: str = ""
    settings: tuple[str, ...] = ()
    file_size: int | None = None
    megabytes: float | None = None
    at: str = ""
    how: str = ""
    must_fail: bool = False
    by_command: bool = False


def full_disk(chance: random.Random) -> Fault:
    """No file can grow beyond some size, from nothing to more than is needed."""
    work, prepared, target = chance.choice(WRITERS)
    return Fault(
        "full disk",
        TOO_LARGE,
        work,
        prepared,
        target=target,
        settings=chance.choice(LOGS),
        file_size=int(10 ** chance.uniform(2, 7.3)) if chance.random() < 0.9 else 0,
    )


def full_file_system(chance: random.Random) -> Fault:
    """All files together have so much room, the database's own size included."""
    work, prepared, target = chance.choice(WRITERS)
    return Fault(
        "full file system",
        TOO_LARGE,
        work,
        prepared,
        target=target,
        settings=chance.choice(LOGS),
        megabytes=10 ** chance.uniform(-2, 1.3),
    )


def spill_cap(chance: random.Random) -> Fault:
    """Little memory, and little room to spill."""
    memory, cap = 10 ** chance.uniform(1.2, 2), 10 ** chance.uniform(0, 1.7)
    settings = (
        f"set memory_limit = '{memory:.0f}MB'", f"set max_temp_directory_size = '{cap:.0f}MB'",
    )  # fmt: skip
    return Fault("spill cap", NO_MEMORY, prepared="large", settings=settings)


def little_memory(chance: random.Random) -> Fault:
    """Little memory, sometimes without a place to spill."""
    settings: tuple[str, ...] = (f"set memory_limit = '{10 ** chance.uniform(0.6, 2.1):.0f}MB'",)
    if chance.random() < 0.3:
        settings += ("set temp_directory = ''",)
    return Fault("little memory", NO_MEMORY, prepared="large", settings=settings)


def no_temporary_directory(chance: random.Random) -> Fault:
    """A place to spill that cannot be made: below a file."""
    memory = chance.choice((12, 20, 30))
    settings = (f"set memory_limit = '{memory}MB'", "set temp_directory = '{place}/a_file/spilled'")
    return Fault("no temporary directory", "Failed to create directory|Not a directory|Out of M",
                 prepared="large", settings=settings)  # fmt: skip


def spoiled_source(chance: random.Random) -> Fault:
    """The file that is read goes away, or is another one, as some step begins."""
    source, how = chance.choice(("lines.parquet", "lines.csv")), chance.choice(SPOILERS)
    at = chance.choice((*STEPS[:4], "fit", "publish"))
    says = r"lines\.|No files|Invalid|CSV|Parquet|magic"
    return Fault(f"source: {how}", says, source=source, at=at, how=how)


def broken_source(chance: random.Random) -> Fault:
    """A file that was broken before."""
    source, says = chance.choice(BROKEN)
    by_command = chance.random() < 0.5
    return Fault("broken source", says, source=source, must_fail=True, by_command=by_command)


def bad_target(chance: random.Random) -> Fault:
    """A place to write to that cannot be."""
    work, name = chance.choice(TARGETS)
    folder = chance.choice(("nosuch", "a_file"))
    says = r"nosuch|a_file"
    return Fault("bad target", says, work, target=f"{folder}/{name}", must_fail=True)


def command(chance: random.Random) -> Fault:
    """A full disk under the command."""
    work, prepared = chance.choice((("run", "ran"), ("refresh", "grown"), ("run", "loaded")))
    return Fault(
        "command on a full disk",
        TOO_LARGE,
        work,
        prepared,
        file_size=int(10 ** chance.uniform(2, 7.3)),
        by_command=True,
    )


Kind = Callable[[random.Random], Fault]
# each with its share of all
KINDS: dict[Kind, int] = {
    full_disk: 10, full_file_system: 8, spill_cap: 3, little_memory: 3, no_temporary_directory: 2,
    spoiled_source: 4, broken_source: 3, bad_target: 2, command: 2,
}  # fmt: skip

WRITERS = (
    ("run", "ran", ""),
    ("run", "loaded", ""),
    ("run", "logged", ""),
    ("refresh", "grown", ""),
    ("load", "plain", ""),
    ("export", "ran", "old.duckdb"),
    ("export", "ran", "new.duckdb"),
    ("import_model", "ran", "model.parquet"),
    ("export_model", "ran", "old.parquet"),
    ("export_model", "ran", "new.json"),
    ("export_targets", "ran", "old.csv"),
    ("frequent_itemsets", "ran", ""),
)
TARGETS = (
    ("export", "x.duckdb"),
    ("export_model", "x.parquet"),
    ("export_model", "x.json"),
    ("export_targets", "x.csv"),
)
LOGS: tuple[tuple[str, ...], ...] = (
    (), ("set checkpoint_threshold = '1KB'",), ("set checkpoint_threshold = '1TB'",),
)  # fmt: skip
SPOILERS = ("remove", "cut", "overwrite")
BROKEN = (
    ("cut.parquet", r"cut\.parquet"),
    ("empty.parquet", r"empty\.parquet"),
    ("a_folder.parquet", r"a_folder\.parquet"),
    ("short_line.csv", r"short_line\.csv.*|CSV Error on Line: 30002"),
    ("not_utf8.csv", r"not_utf8\.csv|CSV Error on Line"),
    ("empty.csv", r"empty\.csv"),
)


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


def make_sources(folder: Path) -> None:
    """A larger shop, and files to read that are whole or broken."""
    folder.mkdir()
    with custseg_duck.connect(folder / "large.duckdb") as con:
        con.execute("create table own as select i as customer_id, i % 7 as a from range(40) r (i)")
        custseg_duck.run(features="own", con=con, **SMALL)
        con.execute(f"""
            create table order_lines as
            select
                (hash(i) % 10000)::integer as customer_id,
                (i // 4)::integer as order_id,
                (hash(i, 1) % 2000)::integer as product_id,
                timestamp '2024-01-01' + interval (i % 300) day as ordered_at,
                (1 + i % 50)::decimal(10, 2) as amount,
                'department ' || (i % 20) as department,
            from range({N_LINES}) as lines (i)
        """)
        for suffix in ("parquet", "csv"):
            con.execute(f"copy (from order_lines limit 40000) to '{folder}/lines.{suffix}'")
    text = (folder / "lines.csv").read_text().splitlines()
    # beyond the lines that DuckDB looks at to find out what the columns are
    (folder / "short_line.csv").write_text("\n".join([*text[:30_001], "1,2", *text[30_001:]]))
    spoiled = "\n".join([*text[:30_001], text[30_001].replace("department", "d\udcff"), ""])
    (folder / "not_utf8.csv").write_bytes(spoiled.encode(errors="surrogateescape"))
    (folder / "empty.csv").touch()
    whole = (folder / "lines.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.parquet").touch()
    (folder / "a_folder.parquet").mkdir()
