"""How the calls are written that are refused."""

from collections.abc import Callable
from typing import Any, NamedTuple

import duckdb

import custseg_duck

InPython = Callable[[duckdb.DuckDBPyConnection], object]


class Refused(NamedTuple):
    """A call that is refused.

    call : SQL, the arguments of the command, or a function of a connection; text : all that it
    says, with FOLDER for the current one; given : what is executed before
    """

    call: str | tuple[str, ...] | InPython
    text: str
    given: str = ""


def run(source: object = "order_lines", **options: Any) -> InPython:
    """``custseg_duck.run``, of the shop's own lines."""
    return lambda con: custseg_duck.run(source, con=con, **options)


def refresh(**options: Any) -> InPython:
    """``custseg_duck.refresh``."""
    return lambda con: custseg_duck.refresh(con=con, **options)
