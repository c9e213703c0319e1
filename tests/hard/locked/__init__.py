"""It works locked down, or refuses clearly: every macro and function under every setting.

A case is a setting and a call. The call must give the rows that it gives in a plain database, be
these the rows of a macro or those that a run leaves; or raise an error of ours. Beside each
database there are tables of the same names with other rows, in another schema and another database.
"""

import random
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import duckdb

import custseg_duck
from custseg_duck.errors import code_of, message_of
from tests.hard.figure import Figure
from tests.hard.locked.databases import SETTINGS, Setting, make_template, opened
from tests.hard.locked.functions import FUNCTIONS
from tests.hard.locked.statements import (
    COLLATED,
    REFUSED_EVERYWHERE,
    STATEMENTS,
    Call,
    macro,
    statement,
)
from tests.test_hazards import OVER

OTHER, UNCLEAR = "other rows", "unclear refusals"
CALLS: dict[str, Call] = {
    **{name: statement(name) for name in STATEMENTS},
    **{name: macro(name, relation) for relation, macros in OVER.items() for name in macros},
    **FUNCTIONS,
}
CASES = [
    (setting, call)
    for setting in SETTINGS
    for call in CALLS
    if not (setting.startswith("a collation") and call in COLLATED)
]
PROMISED = len(CASES)


def tried(n: int, *, seed: int) -> Figure:
    """``n`` of the cases; all of them, if ``n`` is their number."""
    figure = Figure(must_be_zero=(OTHER, UNCLEAR))
    chosen = set(random.Random(seed).sample(range(PROMISED), min(n, PROMISED)))
    wanted: dict[str, list[str]] = {}
    for number in sorted(chosen):
        setting, call = CASES[number]
        wanted.setdefault(setting, []).append(call)
    figure.counts.update({"cases": 0, "settings": 0, "same rows": 0, "refused clearly": 0})
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore", custseg_duck.CustsegWarning)
        template = Path(place) / "template"
        template.mkdir()
        make_template(template)
        calls = {call for called in wanted.values() for call in called}
        expected = _expected(template, Path(place), [name for name in CALLS if name in calls])
        for setting, called in wanted.items():
            figure.counts["settings"] += 1
            with tempfile.TemporaryDirectory() as folder:
                _under(figure, setting, called, expected, template, Path(folder))
    return figure


def _expected(template: Path, place: Path, calls: list[str]) -> dict[str, object]:
    """What each call gives in a plain database."""
    folder = place / "plain"
    folder.mkdir()
    found: dict[str, object] = {}
    with opened(Setting({}), template, folder) as con:
        for call in calls:
            try:
                found[call] = _comparable(CALLS[call](con, folder))
            except duckdb.InvalidInputException:
                assert call in REFUSED_EVERYWHERE, call
    return found


def _under(
    figure: Figure, name: str, calls: list[str], expected: dict[str, object], template: Path,
    folder: Path,
) -> None:  # fmt: skip
    try:
        with opened(SETTINGS[name], template, folder) as con:
            for call in calls:
                figure.counts["cases"] += 1
                _case(figure, con, f"{name}: {call}", call, expected, folder)
    except (duckdb.Error, custseg_duck.CustsegError) as error:
        figure.failed(UNCLEAR, f"{name}: {type(error).__name__} {str(error)[:300]}")


def _case(
    figure: Figure, con: duckdb.DuckDBPyConnection, detail: str, call: str,
    expected: dict[str, object], folder: Path,
) -> None:  # fmt: skip
    try:
        found = _comparable(CALLS[call](con, folder))
    except (duckdb.Error, custseg_duck.CustsegError) as error:
        if is_clear(error, call):
            figure.counts["refused clearly"] += 1
        else:
            figure.failed(UNCLEAR, f"{detail}: {type(error).__name__} {str(error)[:300]}")
        if detail.startswith("a transaction:") and isinstance(error, duckdb.Error):
            con.execute("rollback")  # what failed was not the last to be tried in one
            con.execute("begin")
        return
    if call in REFUSED_EVERYWHERE:
        figure.failed(OTHER, f"{detail}: it is not refused")
    elif found == expected[call]:
        figure.counts["same rows"] += 1
    else:
        figure.failed(OTHER, f"{detail}: {_difference(expected[call], found)}")


def is_clear(error: Exception, call: str) -> bool:
    """An error of ours, with a code that says what to do; in SQL, one that only we raise.

    What the database itself may not do with its file, DuckDB alone can say.
    """
    if isinstance(error, custseg_duck.CustsegError):
        is_forbidden = "disabled by configuration" in str(error)
        return error.code not in ("query", "other") or is_forbidden
    if isinstance(error, duckdb.TransactionException):  # of the caller's own
        return call not in FUNCTIONS
    return call not in FUNCTIONS and code_of(message_of(error)) is not None


def _comparable(found: object) -> object:
    """Rows in an order that no setting changes; NaN as a text, which is equal to itself."""
    if isinstance(found, dict):
        return {key: _comparable(one) for key, one in found.items()}
    if isinstance(found, tuple) and any(isinstance(one, list | dict) for one in found):
        return tuple(_comparable(one) for one in found)
    if isinstance(found, list):
        return sorted(str(row) for row in found)
    return str(found)


def _difference(expected: object, found: object) -> str:
    if isinstance(expected, dict) and isinstance(found, dict):
        return "; ".join(
            f"{key}: {_difference(expected[key], found[key])}"
            for key in expected
            if expected[key] != found[key]
        )[:600]
    if isinstance(expected, list) and isinstance(found, list):
        lost, gained = Counter(expected) - Counter(found), Counter(found) - Counter(expected)
        return (
            f"{len(expected)} rows, {len(found)} found, {lost.total()} differ: "
            f"{str(list(lost)[:1])[:200]} became {str(list(gained)[:1])[:200]}"
        )
    return f"{str(expected)[:200]} became {str(found)[:200]}"
