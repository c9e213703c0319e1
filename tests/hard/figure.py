"""What trying a promise gives: numbers to print, and what broke it."""

import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

PAGE = Path(__file__).parent.parent.parent / "docs" / "hard-to-break.md"


@dataclass
class Figure:
    """What was counted, in the order it is printed, and a line on each thing that went wrong.

    What must be zero belongs in ``must_be_zero``: it is printed even so.
    """

    counts: Counter[str] = field(default_factory=Counter)
    must_be_zero: tuple[str, ...] = ()
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    latest: ClassVar["Figure | None"] = None  # the one to tell of while it is being counted

    def __post_init__(self) -> None:
        Figure.latest = self

    def failed(self, what: str, detail: str) -> None:
        """Count one more of what must not be, and say what it was."""
        assert what in self.must_be_zero, what
        self.counts[what] += 1
        self.failures.append(f"{what}: {detail}")

    def __str__(self) -> str:
        shown = [
            f"{n:,} {what}"
            for what, n in dict(self.counts).items()
            if what not in self.must_be_zero
        ]
        zeros = [f"{self.counts[what]:,} {what}" for what in self.must_be_zero]
        seconds = time.monotonic() - self.began
        told = ": ".join(", ".join(some) for some in (shown, zeros) if some)
        return told + "".join(f"; {note}" for note in [*self.notes, f"{seconds:,.0f} s"])


def machine() -> str:
    """Where and on what a figure was made."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{datetime.date.today()}, {platform.system()} {platform.machine()}, {os.cpu_count()} "
        f"cores, {memory:.0f} GiB, Python {platform.python_version()}, DuckDB "
        f"{importlib.metadata.version('duckdb')}, commit {commit or 'unknown'}"
    )


def record(suite: str, figure: Figure) -> None:
    """Put a figure into its place in the page."""
    text = PAGE.read_text(encoding="utf-8")
    place = re.compile(rf"(<!-- {suite} -->).*?(<!-- /{suite} -->)", re.DOTALL)
    assert place.search(text), f"docs/hard-to-break.md has no place for {suite}"
    shown = f"{figure} ({machine()})"
    PAGE.write_text(place.sub(lambda found: f"{found[1]}{shown}{found[2]}", text), encoding="utf-8")
