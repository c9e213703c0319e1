"""What goes wrong: a fault of each kind, drawn at random."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from custseg_duck.pipeline import STEPS

TOO_LARGE = r"File too large|No space left|failed to offload|Out of Memory"
NO_MEMORY = r"Out of Memory"


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
    fault = _no_room("full disk", chance)
    size = int(10 ** chance.uniform(2, 7.3)) if chance.random() < 0.9 else 0
    return replace(fault, file_size=size)


def full_file_system(chance: random.Random) -> Fault:
    """All files together have so much room, the database's own size included."""
    return replace(_no_room("full file system", chance), megabytes=10 ** chance.uniform(-2, 1.3))


def _no_room(kind: str, chance: random.Random) -> Fault:
    """Something that writes, to a log or not; how much room there is, is to be added."""
    work, prepared, target = chance.choice(WRITERS)
    return Fault(kind, TOO_LARGE, work, prepared, target=target, settings=chance.choice(LOGS))


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
