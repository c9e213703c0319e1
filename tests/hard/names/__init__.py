"""Names are only names: of tables, columns, items, runs, models, databases and files.

Every name goes through some of ``DOORS`` in a folder, a database and a program full of canaries:
files, tables, a second database and data frames, which a name that is taken for SQL, for a path or
for a variable would read or touch, and whose content must never appear in anything that comes out.
Tables named after every CTE and temporary table of ours are read by ``run`` beside them.
"""

import itertools
import os
import random
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb

import custseg_duck
from tests.hard import hostile
from tests.hard.figure import Figure
from tests.hard.names.others import OTHERS
from tests.hard.names.runs import RUNS, source
from tests.hard.names.world import (
    MARKS,
    ChangedError,
    Door,
    TakenError,
    World,
    make_template,
    taken_for_sql,
)  # fmt: skip

PROMISED = 1_000

TAKEN, TOUCHED, CHANGED = "names taken for SQL", "canaries read or touched", "names changed"

N_OTHERS = 3  # of the doors without a run, for every name beside one with a run


class Try(NamedTuple):
    """A name, and the doors that it goes through."""

    name: str
    doors: tuple[Door, ...]


def tries(n: int, seed: int) -> Iterator[Try]:
    """Of ``n`` names a third is that of a CTE or a temporary table, each once if there is room."""
    captured = random.Random(seed).sample(hostile.CAPTURING, min(n // 3, len(hostile.CAPTURING)))
    for name in captured:
        yield Try(name, (source,))
    runs, others = itertools.cycle(RUNS), itertools.cycle(OTHERS)
    for name in hostile.names(n - len(captured), seed):
        yield Try(name, (next(runs), *itertools.islice(others, N_OTHERS)))


def tried(n: int, *, seed: int) -> Figure:
    """``n`` names through the doors."""
    figure = Figure(must_be_zero=(TAKEN, TOUCHED, CHANGED))
    figure.counts.update({"names": 0, "uses": 0, "refused": 0})
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", custseg_duck.CustsegWarning)
        template = Path(folder) / "template"
        make_template(template)
        try:
            for number, one in enumerate(tries(n, seed)):
                _try(figure, one, World(template, Path(folder) / f"{number}"), seed, number)
                os.chdir(here)
                shutil.rmtree(Path(folder) / f"{number}")
        finally:
            os.chdir(here)
    return figure


def _try(figure: Figure, one: Try, world: World, seed: int, number: int) -> None:
    figure.counts["names"] += 1
    for door in one.doors:
        figure.counts["uses"] += 1
        detail = f"seed {seed}, name {number} {one.name[:80]!r}, {door.__name__}"
        try:
            shown = door(world, one.name, random.Random(f"{seed} {number} {door.__name__}"))
        except custseg_duck.CustsegError as error:
            figure.counts["refused"] += 1
            if problem := taken_for_sql(error):
                figure.failed(TAKEN, f"{detail}: {problem}")
        except TakenError:
            figure.counts["taken already"] += 1
        except ChangedError as error:
            figure.failed(CHANGED, f"{detail}: {error}")
        except duckdb.Error as error:
            if _is_duckdbs(error):
                figure.counts["refused"] += 1
            else:
                figure.failed(TAKEN, f"{detail}: {type(error).__name__} {str(error)[:300]}")
        except Exception as error:  # whatever it is, it is none of ours
            figure.failed(TAKEN, f"{detail}: {type(error).__name__} {str(error)[:300]}")
        else:
            marks = MARKS.findall(_without(str(shown), one.name))
            if marks:
                figure.failed(TOUCHED, f"{detail}: what is in {', '.join(set(marks))} came out")
        _unchanged(figure, world, detail)
    world.close()


def _unchanged(figure: Figure, world: World, detail: str) -> None:
    """Hold what no name may change against what it was."""
    after = world.state()
    for what, expected in world.before.items():
        if after[what] != expected:
            figure.failed(TOUCHED, f"{detail}: {what} {_difference(expected, after[what])}")
            world.before = after


def _without(shown: str, name: str) -> str:
    return shown.replace(name, "") if len(name) > 3 else shown


def _is_duckdbs(error: duckdb.Error) -> bool:
    """Whether it is DuckDB that has no such name at all: of nothing, or of two parts."""
    return "zero-length delimited identifier" in str(error).lower()


def _difference(before: object, after: object) -> str:
    pairs = before.items() if isinstance(before, dict) else before
    others = after.items() if isinstance(after, dict) else after
    assert isinstance(pairs, list) or hasattr(pairs, "__iter__")
    old, new = {str(one) for one in pairs}, {str(one) for one in others}  # type: ignore[union-attr]
    return f"lost {sorted(old - new)[:3]}, gained {sorted(new - old)[:3]}"
