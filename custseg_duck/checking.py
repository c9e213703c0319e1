"""Checks in place: known answers on this machine, and whether what runs left fits together."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import duckdb

from custseg_duck import catalog
from custseg_duck.arguments import require_connection
from custseg_duck.errors import CustsegError, InputError, message_of
from custseg_duck.functions import in_transaction
from custseg_duck.loading import connect, has_macros, installed_version, load
from custseg_duck.publishing import VIEWS
from custseg_duck.statements import count_of, features_of_run, table_in, used_database
from custseg_duck.tables import exists
from custseg_duck.version import __version__

FEATURES_VIEW = "custseg_check_features"
# What is looked at of each run: by which statement of sql/check, of which tables, and in words
CHECKS = (
    ("counts", ("customer_features", "segments", "segment_summary"), "counts of customers"),
    ("scores", ("customer_features", "segments", "models"), "segments against the model"),
    ("itemsets", ("itemsets",), "parts of itemsets"),
    ("rules", ("itemsets", "rules"), "rules against itemsets"),
)
LEAST_FREE = 2**30  # bytes


class Finding(NamedTuple):
    """One thing that was looked at.

    status : "ok", "note" (works, but should be known) or "wrong"; what : was looked at; found :
    there; advice : what to do, empty if nothing
    """

    status: Literal["ok", "note", "wrong"]
    what: str
    found: str
    advice: str = ""


def self_check(con: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Check in place that custseg_duck works here, and that what runs left is whole.

    On the connection's own settings a small shop with known answers goes through features, sets,
    rules, a fit and an assignment. In the current database macros, stored models and all tables and
    views are read; of each run the customers are scored again, and the counts of itemsets and rules
    compared. Takes about a second, and for large runs what reading them takes. Only temporary views
    are made, on a cursor of its own, so that nothing is left; macros are not written.

    Parameters
    ----------
    con : DuckDBPyConnection
        With or without custseg_duck loaded; it may be read-only.

    Returns
    -------
    list of Finding
        ``status`` is "ok", "note" or "wrong".

    Raises
    ------
    InputError
        If a transaction is open.
    """
    require_connection(con)
    if in_transaction(con):
        raise InputError(
            "self_check must be called outside a transaction, because what is not committed it "
            "would not see, got an open one. Commit or roll back first [transaction]"
        )
    load(con, persist=False)
    ((database,),) = con.execute("select current_database()").fetchall()
    with con.cursor() as own:
        own.execute(used_database(database))
        findings = [*_answers(own), *_temporary_space(own)]
        try:
            return [*findings, *examined(own), *_fitting_together(own)]
        except duckdb.Error as error:
            advice = "restore the database from a backup"
            return [*findings, Finding("wrong", "the database", message_of(error), advice)]


def _answers(con: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """The known shop's, by this database's macros or, if it has none, by those of the package."""
    try:
        if has_macros(con):
            yield from _answered(con)
        else:
            with connect() as other:
                yield from _answered(other)
    except (CustsegError, duckdb.Error) as error:
        advice = "custseg_duck.load(con) writes the macros anew; or reinstall custseg_duck"
        yield Finding("wrong", "a shop with known answers", message_of(error), advice)


def _answered(con: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    con.execute(catalog.statement("check/shop"))
    for what, expected, found in con.execute(catalog.statement("check/answers")).fetchall():
        if found == expected:
            yield Finding("ok", f"known answers: {what}", found)
        else:
            yield Finding(
                "wrong", f"known answers: {what}", found, f"reinstall; it must be {expected}"
            )
    con.execute("drop view temp.main.custseg_check_lines")


def _temporary_space(con: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """Whether there is room for what does not fit into memory."""
    ((place, limit),) = con.execute(
        "select current_setting('temp_directory'), current_setting('memory_limit')"
    ).fetchall()
    if not place:
        yield Finding(
            "note", "temporary files", "none allowed", "set temp_directory, or large runs must fit "
            f"into the memory_limit of {limit}"
        )  # fmt: skip
        return
    existing = Path(place).absolute()
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        yield Finding(
            "wrong", "temporary files", f"{place} cannot be written to", "set temp_directory"
        )
        return
    free = shutil.disk_usage(existing).free
    yield Finding(
        "ok" if free >= LEAST_FREE else "note",
        "temporary files",
        f"{place}, {free / 2**30:,.1f} GiB free; memory_limit {limit}",
        "" if free >= LEAST_FREE else "make room, or set temp_directory",
    )


def _fitting_together(con: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """Of the latest run of each name, whether its tables fit together."""
    if not exists(con, "runs") or not has_macros(con):
        return
    runs = con.execute(
        "select run_name, arg_max(model_version, run_id) from custseg.runs "
        "group by run_name order by run_name"
    ).fetchall()
    for name, version in runs:
        con.execute(features_of_run(FEATURES_VIEW, name))
        parameters = {"run_name": name, "model_version": version}
        for check, tables, words in CHECKS:
            if all(exists(con, table) for table in tables):
                yield _checked(con, check, f"run {name!r}: {words}", parameters)


def _checked(
    con: duckdb.DuckDBPyConnection, check: str, what: str, parameters: dict[str, Any]
) -> Finding:
    sql = catalog.statement(f"check/{check}")
    used = {name: value for name, value in parameters.items() if f"${name}" in sql}
    try:
        ((n_checked, n_wrong),) = con.execute(sql, used).fetchall()
    except duckdb.Error as error:
        return Finding("wrong", what, message_of(error), "run again")
    if n_wrong:
        return Finding("wrong", what, f"{n_wrong:,} of {n_checked:,} differ", "run again")
    return Finding("ok", what, f"{n_checked:,} looked at")


def examined(con: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """Whether what the current database holds of ours is whole; it is only read."""
    yield _macros(con)
    yield from _runs(con)
    yield from _models(con)
    yield from _relations(con)


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
