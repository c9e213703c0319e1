"""Runs a step, one statement of sql/run, its errors told in our words; and says which one it is."""

import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import duckdb

from custseg_duck import catalog
from custseg_duck.errors import InputError, QueryError, code_of, message_of
from custseg_duck.statements import quote_text

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger(__name__)

Progress = Callable[[str, float, int], None]

# DuckDB's errors that come from values and options: of error(), a cast, an unknown time zone
_INPUT_ERRORS = (
    duckdb.InvalidInputException,
    duckdb.ConversionException,
    duckdb.NotImplementedException,
)


_PARAMETER = re.compile(r"\$(\w+)")


def written_out(step: str, parameters: Mapping[str, Any]) -> str:
    """The statement of a step with values, None, texts, numbers or lists of them, in it."""
    return _PARAMETER.sub(
        lambda match: _literal(parameters[match[1]]), catalog.statement(f"run/{step}")
    )


def _literal(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(_literal(one) for one in value)}]"
    return str(value) if isinstance(value, Real) else quote_text(str(value))


def execute(
    con: duckdb.DuckDBPyConnection, step: str, parameters: Mapping[str, Any], source: str = ""
) -> None:
    """Execute ``sql/run/<step>.sql`` with those of the parameters that it names.

    ``source`` is what it reads of the user's, in words.

    Raises
    ------
    InputError
        If the SQL refuses a value or an option.
    QueryError
        If the statement fails otherwise.
    """
    with _told(step, source) as (sql, used):
        con.execute(sql, {key: parameters[key] for key in used})


def arrow_columns(
    con: duckdb.DuckDBPyConnection, step: str, parameters: Mapping[str, Any]
) -> "list[pa.ChunkedArray]":
    """The columns that ``sql/run/<step>.sql``, a query, gives.

    Raises
    ------
    InputError, QueryError
        As ``execute``.
    """
    with _told(step) as (sql, used):
        query = con.sql(sql, params={key: parameters[key] for key in used})
        columns: list[pa.ChunkedArray] = query.to_arrow_table().columns
        return columns


@contextlib.contextmanager
def _told(step: str, source: str = "") -> Iterator[tuple[str, set[str]]]:
    """The statement of a step and the parameters that it names; its errors in our words."""
    sql = catalog.statement(f"run/{step}")
    logger.debug("%s", sql)
    try:
        yield sql, set(_PARAMETER.findall(sql))
    except _INPUT_ERRORS as error:
        message = message_of(error)
        raise InputError(message if code_of(message) else f"{step}: {message}") from error
    except duckdb.Error as error:
        raise QueryError(step, sql, error, source) from error


class Reporter:
    """Tells the caller which step begins, and keeps how long each one took."""

    def __init__(self, progress: Progress | None, steps: Sequence[str]) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress
        self._steps = steps
        self.step = ""
        self._began = time.perf_counter()

    def __call__(self, step: str) -> None:
        """Say that a step begins."""
        now = time.perf_counter()
        if self.step:
            self.seconds[self.step] = now - self._began
        self.step, self._began = step, now
        logger.info("%s", step)
        self.advance(0)

    def advance(self, share: float) -> None:
        """Say how much of the step is done, 0 to 1."""
        if self._progress:
            self._progress(self.step, self._steps.index(self.step) + share, len(self._steps))
