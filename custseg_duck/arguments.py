"""Arguments that functions share, refused if nothing can be done with them."""

import os
import reprlib
from collections.abc import Mapping
from numbers import Integral

import duckdb

from custseg_duck.errors import InputError, QueryError
from custseg_duck.stopping import require_idle


def require_connection(con: object) -> None:
    """Refuse what is no open connection.

    Raises
    ------
    InputError
        If it is none, another thread is working on it, or its transaction has failed.
    """
    if not isinstance(con, duckdb.DuckDBPyConnection):
        raise InputError(f"con must be a connection of DuckDB, got {reprlib.repr(con)} [option]")
    require_idle(con)
    try:
        con.execute("select 1").fetchall()  # all of it, or the caller's next con.sql is refused
    except duckdb.ConnectionException as error:
        raise InputError("con must be an open connection, got a closed one [option]") from error
    except duckdb.TransactionException as error:
        raise InputError(
            "con must be outside a transaction that has failed, got one in it. Roll back first "
            "[transaction]"
        ) from error
    except duckdb.Error as error:  # DuckDB has shut the database down
        raise QueryError("load", "select 1", error) from error


def path_text(path: object) -> str:
    """A path as text that a file system can have.

    Raises
    ------
    InputError
        If it is neither a text nor a path, or has characters that no file's name has.
    """
    place = os.fspath(path) if isinstance(path, str | os.PathLike) else path
    if not isinstance(place, str) or "\0" in place or not _can_be_encoded(place):
        raise InputError(f"path must be a text or a path, got {reprlib.repr(path)} [option]")
    return place


def require_text(name: str, value: object) -> None:
    """Refuse what is no text, or none that a database can hold.

    Raises
    ------
    InputError
        That says which argument it is and what came.
    """
    if not isinstance(value, str) or not _can_be_encoded(value):
        raise InputError(f"{name} must be a text, got {reprlib.repr(value)} [option]")


def require_bool(name: str, value: object) -> None:
    """Refuse what is neither True nor False.

    Raises
    ------
    InputError
        That says which argument it is and what came.
    """
    if not isinstance(value, bool):
        raise InputError(f"{name} must be True or False, got {reprlib.repr(value)} [option]")


def require_callable(name: str, value: object) -> None:
    """Refuse what cannot be called; None is none.

    Raises
    ------
    InputError
        That says which argument it is and what came.
    """
    if value is not None and not callable(value):
        raise InputError(f"{name} must be callable or None, got {reprlib.repr(value)} [option]")


def require_names(name: str, value: object) -> None:
    """Refuse what is no mapping of names to names; None is none.

    Raises
    ------
    InputError
        That says which argument it is and what came.
    """
    is_mapping = isinstance(value, Mapping) and all(
        isinstance(one, str) and _can_be_encoded(one) for pair in value.items() for one in pair
    )
    if value is not None and not is_mapping:
        raise InputError(f"{name} must map names to names, got {reprlib.repr(value)} [option]")


def version_number(version: object) -> int | None:
    """The version of a model as an int; None is the latest, or all.

    Raises
    ------
    InputError
        That says what came.
    """
    if version is None:
        return None
    is_flag = isinstance(version, bool)
    if isinstance(version, Integral) and not is_flag and 1 <= int(version) < 2**31:
        return int(version)
    raise InputError(
        f"version must be a whole number of at least 1 or None, got {reprlib.repr(version)} "
        "[option]"
    )


def _can_be_encoded(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
