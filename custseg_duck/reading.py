"""Reads what runs left, by the statements of sql/report: rows as dictionaries, fit to be shown."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import duckdb

from custseg_duck import catalog
from custseg_duck.errors import InputError, QueryError
from custseg_duck.history import known_names
from custseg_duck.tables import exists, fetched

Row = dict[str, Any]

# Neither XML nor a screen has them; those that turn the direction of text could turn ours
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]+")


def rows_of(
    con: duckdb.DuckDBPyConnection, statement: str, needs: str, **parameters: object
) -> list[Row]:
    """The rows of ``sql/report/<statement>.sql``.

    Texts in them, also in lists, are without control characters.

    Parameters
    ----------
    con : DuckDBPyConnection
    statement : str
    needs : str
        A table of custseg that not every run leaves: none, no rows.
    **parameters : object
        Those of the statement.

    Raises
    ------
    QueryError
        If the statement fails.
    """
    if not exists(con, needs):
        return []
    sql = catalog.statement(f"report/{statement}")
    try:
        found = fetched(con.execute(sql, parameters))
    except duckdb.Error as error:
        raise QueryError(f"report/{statement}", sql, error) from error
    return [{name: _shown(value) for name, value in row.items()} for row in found]


def run_of(con: duckdb.DuckDBPyConnection, name: str) -> Row:
    """The latest run of a name.

    Raises
    ------
    InputError
        If there is none.
    """
    found = rows_of(con, "run", "runs", run_name=name)
    if not found:
        raise InputError(
            f"name must be that of a run ({known_names(con)}), got {name!r}. "
            "custseg_duck.run makes one [no-run]"
        )
    return found[0]


def item_names(row: Row, side: str) -> list[str]:
    """What the items on a side of a row are called: by their ids where they have no name.

    ``side`` is "antecedent", "consequent" or "item".
    """
    items = row[f"{side}s"]
    names = row[f"{side}_names"] or [None] * len(items)
    return [name or item for item, name in zip(items, names, strict=True)]


def item_labels(rows: Iterable[Row], *sides: str) -> dict[str, str]:
    """What each item of these rows is called; with its id where another one is called the same."""
    named: dict[str, str] = {}
    for row in rows:
        for side in sides:
            named |= dict(zip(row[f"{side}s"], item_names(row, side), strict=True))
    uses = Counter(named.values())
    return {item: f"{name} ({item})" if uses[name] > 1 else name for item, name in named.items()}


def signed(z_score: float | None) -> str:
    """A z-score as it is shown: with its sign, unless it rounds to zero."""
    if z_score is None or math.isnan(z_score):
        return ""
    text = f"{z_score:+.1f}".replace("-", "\N{MINUS SIGN}")
    return "0.0" if text[1:] == "0.0" else text


def _shown(value: object) -> object:
    if isinstance(value, str):
        return _CONTROLS.sub(" ", value).strip()
    if isinstance(value, list):
        return [_shown(one) for one in value]
    if isinstance(value, dict):
        return {name: _shown(one) for name, one in value.items()}
    return value
