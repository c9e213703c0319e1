"""The errors and warnings of custseg_duck: what must hold, what came, where."""

from collections.abc import Sequence


class CustsegError(Exception):
    """Base of every error that custseg_duck raises."""


class InputError(CustsegError, ValueError):
    """An option, a relation or a value is not what it must be."""


class MissingColumnError(InputError):
    """A relation lacks columns that are needed; all of them are named."""

    def __init__(self, relation: str, missing: Sequence[str], found: Sequence[str]) -> None:
        self.missing = tuple(missing)
        self.found = tuple(found)
        super().__init__(
            f"{relation} must have the columns {', '.join(missing)}, "
            f"got {', '.join(found) or 'none'}. "
            f"Columns of other names can be mapped: columns={{{missing[0]!r}: 'your_column'}} "
            f"(--map {missing[0]}=your_column)"
        )


class NotLoadedError(CustsegError):
    """The macros are not in this database and cannot be put there."""


class QueryError(CustsegError):
    """A statement failed in DuckDB.

    Attributes
    ----------
    step : str
        What was being done.
    sql : str
        The statement.
    """

    def __init__(self, step: str, sql: str, cause: Exception) -> None:
        self.step = step
        self.sql = sql
        super().__init__(f"{step}: {cause}")


class CustsegWarning(UserWarning):
    """Something to look at before the result is used."""


def message_of(error: Exception) -> str:
    """DuckDB's message without its class, and without what it appends about the statement."""
    return str(error).split(" Error: ", 1)[-1].split("\n\nLINE", 1)[0]
