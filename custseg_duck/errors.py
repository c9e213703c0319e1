"""The errors and warnings of custseg_duck: what must hold, what came, where."""

import contextlib
import json
import re
from collections.abc import Iterator, Sequence

import duckdb

# Every message ends with one of these codes, in SQL as in Python. They do not change when the words
# do; docs/errors.md is made of this list.
CODES = {
    "option": "An option is not what it must be, or does not go with another one. "
    "The message says what it takes.",
    "limit": "Going on would take more memory or time than a limit allows. The message names a "
    "value that would do.",
    "no-source": "What is to be read is not there, or is no table. Check its name, and the "
    "folder that a path begins from.",
    "no-file": "There is no such database file.",
    "missing-column": "A table lacks columns that are needed. Columns of other names can be "
    "mapped: `columns={'customer_id': 'household_id'}`, `--map customer_id=household_id`, or a "
    "view.",
    "ambiguous-column": "Several columns may be the one that is needed. Map the one that is meant.",
    "ambiguous-table": "Several tables may play the same part. Pass only those that are meant.",
    "join": "Two of the tables cannot be joined without losing or doubling lines.",
    "value": "A value is not of the kind that its column must hold. Cast or correct it in a view.",
    "null-value": "A value that must be known is NULL.",
    "not-finite": "A number is infinite, not a number, or out of range. Correct or leave out "
    "these rows.",
    "no-rows": "There is nothing to work on. Where lines were left out, the message counts why.",
    "repeated-rows": "A table has several rows for what it must have one row for. Take the rows of "
    "one run, or remove what is there twice.",
    "vector-length": "Vectors, or lists that belong together, are not of one length.",
    "variance": "A feature varies too little for a mixture, or the mixture has no inverse. Scale "
    "the features, or take fewer segments.",
    "transform": "The transform is none that `custseg.feature_transform` made.",
    "rfm-table": "The table of cut points or names of RFM segments, which people may edit, "
    "contradicts itself.",
    "same-hash": "Two order ids cannot be told apart, which chance alone never brings about. "
    "Number the orders.",
    "no-run": "There is no run of this name, or none at all. `custseg_duck.run` makes one.",
    "no-result": "This run did not leave what is asked for.",
    "no-customer": "The run has no such customer.",
    "no-model": "There is no such model or version.",
    "model-damaged": "A model is not as it was when it was fitted, or cannot be trusted to assign. "
    "Import or fit it again.",
    "model-kind": "The model is of another kind, or of other features, than this needs.",
    "run-types": "Runs in one table must have ids of one type. Cast them, or use a database of its "
    "own.",
    "transaction": "A transaction is open. Commit it or roll it back first.",
    "busy": "Another thread is using the connection. Give each thread its own: `con.cursor()`.",
    "conflict": "Another transaction has written to tables of custseg and has not ended. Nothing "
    "was changed: try again when it has.",
    "read-only": "The database cannot be written to.",
    "not-loaded": "The database has no macros of this version. `custseg_duck.load(con)` on a "
    "writable connection writes them, once.",
    "cannot-open": "The database file cannot be opened: another process has it, or it is none.",
    "database-name": "No database may be called custseg: the schema would then mean two things.",
    "file-suffix": "The name of the file must end as the message says.",
    "file-taken": "The path is in use.",
    "file": "A file cannot be read or written. The message says why.",
    "needs-python": "This step fits in Python, and so cannot be printed as SQL.",
    "query": "DuckDB refused a statement. `step` says what was being done, `__cause__` is its "
    "error.",
    "other": "Anything else.",
}

_CODE = re.compile(r" \[([a-z-]+)\]$")


class CustsegError(Exception):
    """Base of every error that custseg_duck raises.

    Attributes
    ----------
    code : str
        One of ``CODES``, which the message ends with.
    """

    default_code = "other"

    def __init__(self, message: str, code: str | None = None) -> None:
        """``code`` is that of a message which ends with none."""
        found = code_of(message)
        self.code = found or code or self.default_code
        super().__init__(message if found else f"{message} [{self.code}]")


class InputError(CustsegError, ValueError):
    """An option, a relation or a value is not what it must be."""

    default_code = "value"


class MissingColumnError(InputError):
    """A relation lacks columns that are needed; all of them are named."""

    default_code = "missing-column"

    def __init__(self, relation: str, missing: Sequence[str], found: Sequence[str]) -> None:
        self.missing = tuple(missing)
        self.found = tuple(found)
        super().__init__(
            f"{relation} must have the columns {', '.join(missing)}, "
            f"got {', '.join(found) or 'none'}. "
            f"Columns of other names can be mapped: columns={{{missing[0]!r}: 'your_column'}} "
            f"(--map {missing[0]}=your_column) [missing-column]"
        )


class NotLoadedError(CustsegError):
    """The macros are not in this database and cannot be put there."""

    default_code = "not-loaded"


class QueryError(CustsegError):
    """A statement failed in DuckDB.

    Attributes
    ----------
    step : str
        What was being done.
    sql : str
        The statement.
    """

    default_code = "query"

    def __init__(self, step: str, sql: str, cause: Exception, source: str = "") -> None:
        """``source`` is what was being read, in words."""
        self.step = step
        self.sql = sql
        super().__init__(f"{step}, reading {source}: {cause}" if source else f"{step}: {cause}")


class CustsegWarning(UserWarning):
    """Something to look at before the result is used."""


@contextlib.contextmanager
def file_errors(what: str) -> Iterator[None]:
    """Tell what DuckDB or the system says of a file after ``what``: "cannot write model.json".

    What SQL of ours refuses meanwhile speaks for itself.
    """
    try:
        yield
    except (duckdb.Error, OSError) as error:
        message = (isinstance(error, OSError) and error.strerror) or message_of(error)
        if code_of(message):
            raise InputError(message, "file") from error
        reason = message.partition("\n")[0]  # what follows is advice on DuckDB's own readers
        raise InputError(f"{what}: {reason}", "file") from error


def code_of(message: str) -> str | None:
    """The code that a message ends with, be it of an error in SQL or in Python."""
    found = _CODE.search(message)
    return found[1] if found and found[1] in CODES else None


def without_code(message: str) -> str:
    """A message that is to become part of another one."""
    return _CODE.sub("", message) if code_of(message) else message


def message_of(error: Exception) -> str:
    """DuckDB's message without its class, and without what it appends: the statement, or where."""
    message = str(error).split(" Error: ", 1)[-1]
    if message.startswith('{"exception_type"'):  # under the setting errors_as_json
        message = json.loads(message)["exception_message"]
    for appended in ("\n\nLINE", "\n\nAt:\n"):  # the latter by DuckDB 1.5
        message = message.split(appended, 1)[0]
    return message.strip().removeprefix(
        "Python exception occurred while executing the UDF: ValueError: "
    )
