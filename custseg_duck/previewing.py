"""What a run would do, told before it does: everything is read and counted, nothing is written."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from custseg_duck import catalog
from custseg_duck.errors import CustsegError, InputError, QueryError, message_of
from custseg_duck.loading import load
from custseg_duck.options import check
from custseg_duck.pipeline import (
    COUNT,
    STEPS,
    Job,
    Steps,
    attach_sources,
    make_features,
    parameters_of,
    require_kept_lines,
)
from custseg_duck.running import defaults
from custseg_duck.steps import Progress, Reporter
from custseg_duck.stopping import surely
from custseg_duck.tables import fetched

PLAN = ("mining_limits", "mined_items", "mined_rows", "itemset_plan")

Row = dict[str, Any]


class Preview(NamedTuple):
    """What a run would read, count and cluster.

    source : what it is, in words; line_counts : lines kept and left out, by reason; customers : one
    row; features : what would be clustered by; itemset_plan : one row, as ``custseg.itemset_plan``
    """

    source: str
    line_counts: list[Row]
    customers: list[Row]
    features: list[Row]
    itemset_plan: list[Row]


def preview(
    source: object = None,
    *,
    database: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    features: object = None,
    **options: Any,
) -> Preview:
    """Read and count what ``run`` would, with the same options, and leave everything as it is.

    Parameters
    ----------
    source, features, progress, **options
        As in ``run``.
    database : path, optional
        Where the source is, if it is a table; a file that does not exist is not made.

    Raises
    ------
    InputError, QueryError
        As ``run``, as far as that is known before the fit.
    """
    if source is None and features is None:
        raise InputError("run must have a source of order lines or features, got neither [option]")
    job = Job(source, features, options.pop("columns", None) or {}, check(defaults() | options))
    place = database if database is not None and Path(database).exists() else ":memory:"
    try:
        con = duckdb.connect(os.fspath(place))
    except duckdb.Error as error:
        raise CustsegError(f"cannot open {place}: {message_of(error)}", "cannot-open") from error
    report = Reporter(progress, STEPS)
    with con:
        con.execute("set enable_progress_bar = false")
        load(con, persist=False)
        con.execute("begin")  # and never commit
        try:
            load(con)
            return _previewed(con, job, report)
        except duckdb.Error as error:
            raise QueryError(report.step, "", error) from error
        finally:
            surely(con, "rollback")


def _previewed(con: duckdb.DuckDBPyConnection, job: Job, report: Reporter) -> Preview:
    parameters = parameters_of(job)
    parameters |= attach_sources(con, job)
    make = Steps(con, parameters, report)
    make("lines", "line_report")
    if parameters["has_lines"]:
        require_kept_lines(con)
    make_features(make)
    make("transform", *COUNT, *PLAN)
    return Preview(
        parameters["source"],
        *(
            fetched(con.execute(catalog.statement(f"display/preview_{name}")))
            for name in ("lines", "customers", "features", "itemsets")
        ),
    )
