"""run and refresh: what Python calls to segment a shop."""

import datetime
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import duckdb

from custseg_duck import mining
from custseg_duck.arguments import (
    require_callable,
    require_connection,
    require_names,
    require_text,
)
from custseg_duck.errors import InputError
from custseg_duck.history import require_past_run, restored
from custseg_duck.options import NULLABLE, OF_THE_MODEL, check, require_choice
from custseg_duck.pipeline import Job, carry_out, writable
from custseg_duck.result import RunResult
from custseg_duck.steps import Progress
from custseg_duck.stopping import alone, interruptible


def run(
    source: object = None,
    *,
    features: object = None,
    con: duckdb.DuckDBPyConnection | None = None,
    columns: Mapping[str, str] | None = None,
    name: str = "default",
    algorithm: str = "kmeans",
    covariance_type: str = "full",
    k: int | Literal["auto"] = 8,
    seed: int = 0,
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    weights: Mapping[str, float] | None = None,
    transforms: Mapping[str, str] | None = None,
    min_support: float | None = None,
    min_count: int | None = None,
    max_length: int | None = 3,
    max_pairs: int = mining.MAX_PAIRS,
    max_candidates: int = mining.MAX_CANDIDATES,
    on_limit: str = "error",
    item: str = "product_id",
    min_confidence: float = 0.1,
    max_antecedents: int | None = None,
    max_consequents: int | None = 1,
    decision_rules: bool = True,
    segment_rules: bool = True,
    n_recommendations: int = 10,
    since: datetime.date | str | None = None,
    as_of: datetime.date | str | None = None,
    exclude_items: Sequence[object] | None = None,
    returns: str = "net",
    duplicates: str = "keep",
    empty_lines: str = "drop",
    time_zone: str | None = None,
    max_fit_bytes: int | None = None,
    progress: Progress | None = None,
) -> RunResult:
    """Segment the customers of a shop, and find what is bought together.

    Leaves the tables ``runs``, ``customer_features``, ``segments``, ``segment_summary``,
    ``segment_profiles``, ``centroids``, ``itemset_plan``, ``itemsets``, ``rules``,
    ``segment_rules``, ``offer_rules``, ``recommendations``, ``models`` and
    ``segment_history`` in the schema ``custseg`` of the current database, in one transaction:
    all of them, or on any error none.

    Parameters
    ----------
    source : str, path, table or mapping
        The order lines: a table or view by name, a Parquet or CSV path, or an Arrow, pandas or
        Polars table. Needs ``customer_id``, ``order_id`` and ``product_id``; every other column
        of ``custseg.order_lines`` adds what can be made of it. Or several tables, as a mapping
        of name to one of these or as a folder of Parquet and CSV files; what was recognised in
        them is in ``custseg.runs.source``.
    features : str, path or table, optional
        Customers' own features, one row per ``customer_id``, to cluster by instead of those that
        are computed of the order lines, which may then be left out.
    con : DuckDBPyConnection, optional
        Where to work and to write; by default a new database in memory.
    columns : mapping, optional
        Canonical column name to the source's, as ``{"customer_id": "household_id"}``.
    name : str
        Runs of several names stand side by side; a run replaces the one of its name.
    algorithm : {"kmeans", "gmm"}
        K-Means, or a Gaussian mixture, which also says how probable each segment is.
    covariance_type : {"full", "tied", "diag", "spherical"}
        Of a mixture's components; K-Means has none.
    k : int or "auto"
        Number of segments, 1 to the number of customers that differ; "auto" takes what
        ``custseg.k_sweep`` recommends of 1 to 10, and one if no clear segments are found.
    seed : int
        0 to 2^32 - 1.
    include, exclude : sequence of str, optional
        Columns of ``custseg.customer_features`` to cluster by; see ``custseg.feature_transform``.
    weights : mapping of str to float, optional
        How much further a column's differences count.
    transforms : mapping of str to {"log", "identity"}, optional
        How a column's values are taken; by default "log" for a long right tail.
    min_support : float, optional
        Share of orders in (0, 1] from which a set is frequent; by default 0.01.
    min_count : int, optional
        The same as a number of orders, instead.
    max_length : int or None
        Longest set; None is no limit.
    max_pairs : int
        The most pairs of items in all orders to count; beyond it the run is refused.
    max_candidates : int
        The most sets of one length to count.
    on_limit : {"error", "truncate"}
        Beyond ``max_candidates``: refuse the run, or leave longer sets uncounted, which is noted.
    item : str
        Column whose values are the items.
    min_confidence : float
        In [0, 1].
    max_antecedents, max_consequents : int or None
        Most items on a rule's sides; None is no limit.
    decision_rules : bool
        Leave ``decision_trees`` and the view ``decision_rules``: the segments as SQL conditions.
    segment_rules : bool
        Leave ``segment_rules``: rules of two items within each segment.
    n_recommendations : int
        Most offers of each kind to a customer; 0 leaves none, nor ``offer_rules``.
    since, as_of : date, datetime or str, optional
        Only lines with ``since <= ordered_at < as_of`` count.
    exclude_items : sequence, optional
        Product ids to leave out, such as bags or gift cards.
    returns : {"net", "drop"}
        Whether returns lower a customer's spend, or are left out.
    duplicates : {"keep", "drop"}
        Whether lines alike in every column count each.
    empty_lines : {"drop", "keep"}
        What to do with lines of quantity 0 and no amount.
    time_zone : str, optional
        The shop's zone, if its times are in UTC.
    max_fit_bytes : int, optional
        The most memory that the vectors may take, 8 bytes per customer and feature: beyond it the
        run is refused before they are read.
    progress : callable, optional
        Called with step, its number and the number of steps, as each begins; and with a fraction
        added to the number while vectors are read for the fit.

    Returns
    -------
    RunResult

    Raises
    ------
    InputError
        If an option or the source is not as above, or a transaction is open.
    QueryError
        If a statement fails. The database is as it was before.

    Warns
    -----
    CustsegWarning
        If no clear segments are found, a segment holds more than 90% of the customers or none,
        the fit did not converge, or order ids are shared by customers.
    """
    options: dict[str, Any] = {
        key: value
        for key, value in locals().items()
        if key not in ("source", "features", "con", "columns", "progress")
    }
    if source is None and features is None:
        raise InputError("run must have a source of order lines or features, got neither [option]")
    if con is not None:
        require_connection(con)
    require_names("columns", columns)
    require_callable("progress", progress)
    return carry_out(Job(source, features, columns or {}, check(options)), con, progress)


def refresh(
    source: object = None,
    *,
    con: duckdb.DuckDBPyConnection,
    name: str = "default",
    fit: Literal["warm", "matched", "frozen"] = "warm",
    features: object = None,
    columns: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    **changes: Any,
) -> RunResult:
    """Run again what was run before, on what the shop holds now: segments keep their numbers.

    Reads the source of the latest run of this name once, with its options. If neither that nor
    the options nor the versions have changed since, the database stays as it is. Beside what
    ``run`` leaves, there are then the tables ``segment_matches`` and ``feature_drift`` and, in the
    view ``migrations``, who moved. Labels stay; so do the cut-points of RFM segments.

    Parameters
    ----------
    source, features, columns : optional
        As in ``run``, each in place of that of the run before; needed where that one's had no name
        (an Arrow table, a data frame).
    con : DuckDBPyConnection
        Where the run before is.
    name : str
        Of the run.
    fit : {"warm", "matched", "frozen"}
        "warm" goes on from the model's centres, on its scale; "matched" fits anew, and numbers the
        segments like those that they are nearest to; "frozen" keeps the model and only assigns.
    progress : callable, optional
        As in ``run``.
    **changes
        Options of ``run`` that are to be others from now on, such as ``as_of``. Those of the model
        (``k``, ``seed``, ``include``, ...) can change under ``fit="matched"`` alone.

    Returns
    -------
    RunResult
        ``is_unchanged`` says if there was nothing to do.

    Raises
    ------
    InputError
        If there is no run of this name, an option is not as above, or a transaction is open.
    QueryError
        If a statement fails. The database is as it was before.

    Warns
    -----
    CustsegWarning
        As ``run``; if a segment is no longer clearly the one that it was; and if a feature that
        customers are clustered by is unknown of all of them, as where the source lost a column.
    """
    require_connection(con)
    require_text("name", name)
    require_names("columns", columns)
    require_callable("progress", progress)
    require_choice("fit", fit, ("warm", "matched", "frozen"))
    with interruptible(con, "refresh"), alone(con):
        past = require_past_run(writable(con, "refresh"), name)
    options = restored(past.options)
    old_columns = options.pop("columns", {})
    known = defaults() | {"name": name}
    unknown = sorted(changes.keys() - known.keys())
    if unknown:
        raise InputError(
            f"changes must be options of run ({', '.join(sorted(known))}), got "
            f"{', '.join(unknown)} [option]"
        )
    fixed = sorted(OF_THE_MODEL & changes.keys())
    if fixed and fit != "matched":
        raise InputError(
            f"the model's own options can only change under fit='matched', got "
            f"{', '.join(fixed)} with fit={fit!r} [option]"
        )
    given = {"source": source, "features": features}
    inputs = past.inputs | {key: value for key, value in given.items() if value is not None}
    for key, value in inputs.items():
        if value is None:
            raise InputError(
                f"{key} must be given, because the run before read what has no name of its own, "
                f"got none. It was {past.source} [option]"
            )
    job = Job(
        inputs.get("source"),
        inputs.get("features"),
        old_columns if columns is None else columns,
        check(known | dict.fromkeys(NULLABLE) | options | changes),
        fit,
        past,
    )
    return carry_out(job, con, progress)


def defaults() -> dict[str, Any]:
    """The options of run."""
    return {
        name: parameter.default
        for name, parameter in inspect.signature(run).parameters.items()
        if name not in ("source", "features", "con", "columns", "progress")
    }
