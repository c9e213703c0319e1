"""Nothing is lost or half-written: kill -9 at moments spread over all that is written.

Each time a child process works on a copy of a prepared database, and is killed some time after it
said that a phase began. What is left must be as before, or as after; as after, if the child had
been told that it was done.
"""

import contextlib
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

import custseg_duck
from tests.conftest import make_shop
from tests.hard import states
from tests.hard.figure import Figure
from tests.hard.victims import OPTIONS, SMALL, Victims

PROMISED = 1_000

HALF, LOST, SHUT = "half-written", "lost after it was acknowledged", "files that do not open"
BROKEN_MODELS, NO_RUN = "broken models", "runs that fail afterwards"

# Phases in which files change are the dangerous ones
OFTEN = {
    "begin": 2, "transaction": 6, "publish": 2, "commit": 20, "committed": 4, "checkpoint": 12,
    "detach": 6, "replace": 6, "copy": 10, "close": 6, "acknowledged": 4, "done": 2,
}  # fmt: skip
EVERY = 10  # so many trials, one more run is made


@dataclass(frozen=True)
class Case:
    """Which work is killed, on which of the prepared files, and what is written to beside it.

    share : of the trials, in relation to the others'
    threshold : of the log from which DuckDB writes it into the file, within the commit
    """

    work: str
    prepared: str
    target: str = ""
    share: int = 1
    threshold: str = ""
    afterwards: str = ""

    def __str__(self) -> str:
        log = f", checkpoint_threshold {self.threshold}" if self.threshold else ""
        more = f", then {self.afterwards}" if self.afterwards else ""
        return f"{self.work} on {self.prepared}{log}{more}"


CASES = (
    Case("run", "loaded", share=5),
    Case("run", "loaded", share=5, threshold="1KB"),
    Case("run", "ran", share=6, threshold="1KB", afterwards="close"),
    Case("run", "ran", share=4, threshold="1TB", afterwards="checkpoint"),
    Case("run", "logged", share=5),
    Case("refresh", "grown", share=5),
    Case("refresh", "grown", share=5, threshold="1KB", afterwards="close"),
    Case("refresh", "grown", share=4, threshold="1TB", afterwards="checkpoint"),
    Case("export", "ran", "new.duckdb", share=6),
    Case("export", "ran", "old.duckdb", share=6),
    Case("load", "plain", share=3),
    Case("load", "plain", share=2, threshold="1KB", afterwards="close"),
    Case("import_model", "ran", "model.parquet", share=3, afterwards="close"),
    Case("import_model", "loaded", "model.parquet", share=2, threshold="1KB"),
    Case("export_model", "ran", "new.json", share=2),
    Case("export_model", "ran", "old.parquet", share=2),
    Case("export_targets", "ran", "old.csv", share=2),
    Case("frequent_itemsets", "ran", share=2, afterwards="close"),
    Case("unload", "ran", share=2, threshold="1KB"),
)


@dataclass
class Rehearsal:
    """A case that was let go on to its end: its phases with their seconds, and what came of it."""

    phases: list[tuple[str, float]]
    before: tuple[dict[str, str], str]
    after: tuple[dict[str, str], str]
    turns: Iterator[int] = field(default_factory=lambda: iter(()))


def tried(
    n: int, *, seed: int = 0, cases: tuple[Case, ...] = CASES, prepared: Path | None = None
) -> Figure:
    """Kill ``n`` times."""
    figure = Figure(must_be_zero=(HALF, LOST, SHUT, BROKEN_MODELS, NO_RUN))
    works = dict.fromkeys(f"of {case.work}" for case in cases)
    figure.counts.update(
        dict.fromkeys(["kills", *works, "as before", "as after"], 0)
    )  # in this order
    with tempfile.TemporaryDirectory() as folder, Victims() as victims:
        place = Path(folder)
        ready = prepared or prepare(place / "prepared")
        trials = Trials(place, ready, victims, figure, random.Random(seed))
        for number, case in enumerate(_drawn(cases, n, trials.chance)):
            trials.kill(case, number)
    phases = {(case.work, phase) for case, phase in trials.hit}
    figure.notes.append(f"{len(phases)} phases")
    return figure


def _drawn(cases: tuple[Case, ...], n: int, chance: random.Random) -> list[Case]:
    """So many cases, each as often as its share says and at least once if there are enough."""
    total = sum(case.share for case in cases)
    drawn = [case for case in cases for _ in range(max(1, round(n * case.share / total)))]
    chance.shuffle(drawn)
    while len(drawn) < n:
        drawn.append(chance.choice(cases))
    return drawn[:n]


class Trials:
    """Rehearses each case once, and kills it from then on."""

    def __init__(
        self,
        folder: Path,
        prepared: Path,
        victims: Victims,
        figure: Figure,
        chance: random.Random,
    ) -> None:
        self.folder, self.prepared, self.victims = folder, prepared, victims
        self.figure, self.chance = figure, chance
        self.rehearsed: dict[Case, Rehearsal] = {}
        self.hit: Counter[tuple[Case, str]] = Counter()

    def kill(self, case: Case, number: int) -> None:
        """Let a child work on a copy, kill it, and look at what is left."""
        if case not in self.rehearsed:
            self.rehearsed[case] = self._rehearse(case)
        rehearsed = self.rehearsed[case]
        turn = self._turn(rehearsed)
        delay = self.chance.random() * rehearsed.phases[turn][1]
        with self._stage(case) as place:
            said, code = self._killed(case, place, turn, delay)
            phase = said[-1] if said else "start"
            self.figure.counts["kills"] += 1
            self.figure.counts[f"of {case.work}"] += 1
            self.hit[case, phase] += 1
            detail = f"{case}, phase {turn} {phase!r} {1000 * delay:.1f} ms, trial {number}"
            if code != -signal.SIGKILL:
                self.figure.failed(HALF, f"{detail}: the child ended with {code}: {said[-5:]}")
            self._judge(case, place, "acknowledged" in said, detail)
            if number % EVERY == 0:
                self._run_again(place, detail)

    def _turn(self, rehearsed: Rehearsal) -> int:
        """Which phase is next: each in turn, the dangerous ones more often."""
        turn = next(rehearsed.turns, None)
        if turn is None:
            turns = [
                i for i, (phase, _) in enumerate(rehearsed.phases)
                for _ in range(OFTEN.get(phase, 1))
            ]  # fmt: skip
            self.chance.shuffle(turns)
            rehearsed.turns = iter(turns)
            turn = next(rehearsed.turns)
        return turn

    def _killed(self, case: Case, place: Path, turn: int, delay: float) -> tuple[list[str], int]:
        """What a child said until it was killed, ``delay`` seconds into its phase ``turn``."""
        said: list[str] = []
        pid = self.victims.start(job(case, place) | {"waits": True})
        for line in self.victims.lines():
            said.append(line)
            if len(said) > turn:
                break
        time.sleep(delay)
        os.kill(pid, signal.SIGKILL)
        last, code = self.victims.end()
        return [*said, *last], code

    def _rehearse(self, case: Case) -> Rehearsal:
        with self._stage(case) as place:
            before = self._state(case, place)
            self.victims.start(job(case, place))
            told = [(line, time.perf_counter()) for line in self.victims.lines()]
            end = time.perf_counter()
            _, code = self.victims.end()
            assert code == 0, f"{case} cannot be rehearsed"
            after = self._state(case, place)
            assert before != after, f"{case} changes nothing"
        times = [*(at for _, at in told), end]
        phases = [(line, times[i + 1] - times[i]) for i, (line, _) in enumerate(told)]
        return Rehearsal(phases, before, after)

    @contextlib.contextmanager
    def _stage(self, case: Case) -> Iterator[Path]:
        """A folder with copies of what the case works on."""
        place = self.folder / "stage"
        place.mkdir()
        for file in self.prepared.glob(f"{case.prepared}.duckdb*"):
            shutil.copy(file, place / file.name.replace(case.prepared, "shop", 1))
        if (self.prepared / case.target).is_file():
            shutil.copy(self.prepared / case.target, place)
        yield place
        shutil.rmtree(place)

    def _judge(self, case: Case, place: Path, acknowledged: bool, detail: str) -> None:
        """Whether what is left is as before or as after, in the database and beside it."""
        rehearsed = self.rehearsed[case]
        try:
            found = self._state(case, place)
        except duckdb.Error as error:
            self.figure.failed(SHUT, f"{detail}: {error}")
            return
        if found == rehearsed.after:
            self.figure.counts["as after"] += 1
        elif found != rehearsed.before:
            differing = " and from after in ".join(
                states.differences(found[0] | {"file": found[1]}, state[0] | {"file": state[1]})
                for state in (rehearsed.before, rehearsed.after)
            )
            self.figure.failed(HALF, f"{detail}: differs from before in {differing}")
        elif acknowledged:
            self.figure.failed(LOST, detail)
        else:
            self.figure.counts["as before"] += 1
        with duckdb.connect(str(place / "shop.duckdb")) as con:
            if "custseg.models" in found[0] and (broken := states.broken_models(con)):
                self.figure.failed(BROKEN_MODELS, f"{detail}: {broken}")
        left = [file.name for file in place.iterdir() if ".custseg_" in file.name]
        self.figure.counts["unfinished files left beside"] += len(left) > 0

    def _state(self, case: Case, place: Path) -> tuple[dict[str, str], str]:
        """What the database holds, and the file beside it."""
        target = place / case.target
        if target.suffix == ".duckdb":
            beside = repr(states.state_of(target)) if target.exists() else "absent"
        else:
            beside = states.bytes_of(target) if case.target else ""
        return states.state_of(place / "shop.duckdb"), beside

    def _run_again(self, place: Path, detail: str) -> None:
        try:
            with custseg_duck.connect(place / "shop.duckdb") as con:
                custseg_duck.run("order_lines", con=con, **SMALL)
                assert not con.execute("from duckdb_tables() where temporary").fetchall()
            self.figure.counts["runs made afterwards"] += 1
        except (custseg_duck.CustsegError, duckdb.Error) as error:
            self.figure.failed(NO_RUN, f"{detail}: {error}")


def job(case: Case, place: Path) -> dict[str, Any]:
    """What the child is told."""
    return {
        "work": case.work,
        "database": str(place / "shop.duckdb"),
        "target": str(place / case.target),
        "checkpoint_threshold": case.threshold,
        "afterwards": case.afterwards,
        "waits": False,
    }


def prepare(folder: Path) -> Path:
    """The files that the children work on copies of; their folder."""
    folder.mkdir()
    with duckdb.connect(str(folder / "plain.duckdb")) as con:
        make_shop(con)
        con.execute("create table notes as select 1 as id, 'the shop''s own' as note")
    shutil.copy(folder / "plain.duckdb", folder / "loaded.duckdb")
    custseg_duck.connect(folder / "loaded.duckdb").close()
    shutil.copy(folder / "loaded.duckdb", folder / "ran.duckdb")
    with custseg_duck.connect(folder / "ran.duckdb") as con:
        custseg_duck.run("order_lines", con=con, k=2, **OPTIONS)
        custseg_duck.export(con, folder / "old.duckdb")
        for kept in ("model.parquet", "old.parquet"):
            custseg_duck.export_model(con, folder / kept)
        custseg_duck.export_targets(con, folder / "old.csv", segments=[0])
        custseg_duck.run("order_lines", con=con, k=3, **OPTIONS)
    shutil.copy(folder / "ran.duckdb", folder / "grown.duckdb")
    with custseg_duck.connect(folder / "grown.duckdb") as con:
        con.execute(
            "insert into order_lines select * replace (order_id + 1000000 as order_id, "
            "ordered_at + interval 9 day as ordered_at) from order_lines where customer_id < 20"
        )
    # a run that is in the log alone, as another kill would have left it
    shutil.copy(folder / "ran.duckdb", folder / "logged.duckdb")
    with custseg_duck.connect(folder / "logged.duckdb") as con:
        con.execute("pragma disable_checkpoint_on_shutdown; set checkpoint_threshold = '1TB'")
        custseg_duck.run("order_lines", con=con, name="second", **SMALL)
    assert (folder / "logged.duckdb.wal").stat().st_size
    return folder
