"""run(): from order lines to the tables of custseg. The steps are data; their SQL is in sql/run."""

import datetime
import importlib
import importlib.metadata
import math
import platform
import threading
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import duckdb
import numpy as np

from custseg_duck import fitting, mining, publishing
from custseg_duck.errors import CustsegWarning, InputError, QueryError
from custseg_duck.functions import in_transaction
from custseg_duck.loading import is_read_only, load
from custseg_duck.options import check
from custseg_duck.result import RunResult
from custseg_duck.source import (
    attach,
    attach_features,
    attach_model,
    attach_nothing,
    detach,
    drop_steps,
)
from custseg_duck.steps import Progress, Reporter, execute
from custseg_duck.version import __version__

# Each step is the statement sql/run/<step>.sql, which makes the temporary table custseg_run_<step>.
# The lines are read once, and forgotten as soon as all is counted that is counted of them ...
READ = ("lines", "line_report", "customer_features", "purchased_items", "item_lines", "item_names")
VECTORS = ("transform", "vectors")
DESCRIBE = ("segments", "segment_summary", "segment_profiles", "centroids")
RULES = "rules"
SEGMENT_RULES = "segment_rules"
OFFERS = ("offer_rules", "recommendations")
CHOOSE = "k_candidates"  # only if k is to be chosen
PURCHASES = "customer_purchases"  # that the optional steps read
STEPS = (
    *(*READ, PURCHASES),
    *(*VECTORS, CHOOSE, "fit", *DESCRIBE),
    *(*mining.STEPS, RULES, SEGMENT_RULES, *OFFERS, "publish"),
)

OFFER_SHARE = 0.0002  # of the orders
FEW_ORDERS = 5  # a rule of fewer is left to chance


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
    options = check(options)
    if source is None and features is None:
        raise InputError("run must have a source of order lines or features, got neither")
    if con is None:
        con = duckdb.connect()
    elif in_transaction(con):
        raise InputError(
            "run must be called outside a transaction, because it is one itself, got an open one. "
            "Commit or roll back first"
        )
    load(con)
    if is_read_only(con):
        raise InputError("run must be able to write to the current database, got a read-only one")
    parameters = options | {
        "run_name": name,
        "containing": None,
        "min_support": 0.01 if min_support is None else min_support,
        "created_at": datetime.datetime.now(datetime.UTC).replace(tzinfo=None),
    }
    report = Reporter(progress, STEPS)
    # takes a tenth of a second, which reading the lines leaves a processor free for
    threading.Thread(target=importlib.import_module, args=("pyarrow",), daemon=True).start()
    try:
        described: list[str] = []
        if source is None:
            found = attach_nothing(con)
        else:
            description, found = attach(con, source, columns or {}, options["time_zone"])
            described.append(description)
        if features is not None:
            described.append(f"features {attach_features(con, features, columns or {})}")
        parameters |= {
            "source": "; ".join(described),
            "has_lines": source is not None,
            "has_features": features is not None,
        }
        parameters["line_columns"] = _line_columns(found, options)
        parameters["options"] = {
            key: str(value)
            for key, value in (options | {"columns": dict(columns or {})}).items()
            if value is not None
        }
        notes = _make(con, parameters, report)
        report("publish")
        parameters |= {"versions": _versions(), "seconds": report.seconds, "notes": notes}
        publishing.publish(con, parameters, _optional_tables(parameters))
    except duckdb.Error as error:
        raise QueryError(report.step, "", error) from error
    finally:
        detach(con)
        con.execute("drop view if exists temp.main.custseg_run_vectors")
        drop_steps(con, {*STEPS, *publishing.RECORD} - {"vectors", "fit", "publish"})
    for note in notes:
        warnings.warn(note, CustsegWarning, stacklevel=2)
    return RunResult(con, name)


def _make(
    con: duckdb.DuckDBPyConnection, parameters: dict[str, Any], report: Reporter
) -> list[str]:
    """Make every result as a temporary table; what there is to note about them."""
    for step in READ:
        report(step)
        has_own = step == "customer_features" and parameters["has_features"]
        execute(con, "own_features" if has_own else step, parameters)
        if step == "line_report" and parameters["has_lines"]:
            _require_kept_lines(con)
    if _optional_steps(parameters):
        report(PURCHASES)
        execute(con, PURCHASES, parameters)
    notes = [] if parameters["has_features"] else _notes_on_orders(con)
    drop_steps(con, ("lines",))
    for step in VECTORS:
        report(step)
        execute(con, step, parameters)
    if parameters["k"] == "auto":
        report(CHOOSE)
        execute(con, CHOOSE, parameters)
        parameters["k"], note = fitting.choice(con)
        notes += note
    report("fit")
    fitted = fitting.fit(con, parameters, report)
    attach_model(con, parameters["run_name"], fitted)
    for step in DESCRIBE:
        report(step)
        execute(con, step, parameters)
    mining.mine(con, parameters, report)
    report(RULES)
    execute(con, RULES, parameters)
    parameters |= _thresholds(con)
    if not parameters["n_orders"]:  # no line has an item
        parameters |= {"segment_rules": False, "n_recommendations": 0}
    for step in _optional_steps(parameters):
        report(step)
        execute(con, step, parameters)
    return fitting.notes_on_segments(fitted) + notes + mining.notes_on_itemsets(con)


def _optional_steps(parameters: Mapping[str, Any]) -> list[str]:
    """Those that are asked for; all of them need order lines."""
    wanted = [SEGMENT_RULES] if parameters["segment_rules"] else []
    wanted += OFFERS if parameters["n_recommendations"] else []
    return wanted if parameters["has_lines"] else []


def _optional_tables(parameters: Mapping[str, Any]) -> set[str]:
    """Those that this run leaves and not every run does."""
    chosen = {CHOOSE} if parameters["options"]["k"] == "auto" else set()
    return chosen | {*_optional_steps(parameters)}


def _thresholds(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """How often is often enough within a segment, and of a rule for offers."""
    ((n_orders, min_orders),) = con.execute(
        "select n_orders, min_orders from custseg_run_itemset_plan"
    ).fetchall()
    return {
        "n_orders": n_orders,
        "least_share": min(1.0, min_orders / max(n_orders, 1)),
        "least_orders": FEW_ORDERS,
        "offer_count": max(FEW_ORDERS, math.ceil(n_orders * OFFER_SHARE)),
    }


def _line_columns(found: Sequence[str], options: Mapping[str, Any]) -> list[str]:
    """The columns of the lines that later steps read: the others would only take memory."""
    unread = {"discount", "category", "product_name"} - {options["item"]}
    if options["item"] == "product_id":
        unread -= {"product_name"}
    if options["n_recommendations"]:
        unread -= {"category"}
    return [name for name in found if name not in unread | {"is_return"}] + [
        "is_return",
        "left_out",
    ]


def _require_kept_lines(con: duckdb.DuckDBPyConnection) -> None:
    counts = con.execute("select is_kept, reason, n_lines from custseg_run_line_report").fetchall()
    if not any(is_kept for is_kept, *_ in counts):
        reasons = ", ".join(f"{reason}: {n}" for _, reason, n in counts)
        raise InputError(
            "source must have at least one line with a purchase, "
            f"got none ({reasons or 'it is empty'})"
        )


def _notes_on_orders(con: duckdb.DuckDBPyConnection) -> list[str]:
    """What a person should know before using the itemsets."""
    ((n_customer_orders, n_orders),) = con.execute(
        "select (select sum(frequency) from custseg_run_customer_features), "
        "(select count(distinct order_id) from custseg_run_lines "
        "where left_out is null and not is_return)"
    ).fetchall()
    if n_customer_orders == n_orders:
        return []
    return [
        f"{n_orders} order ids stand for {n_customer_orders} orders: some are shared by "
        "customers. Itemsets count them by id alone"
    ]


def _versions() -> dict[str, str]:
    return {
        "custseg_duck": __version__,
        "duckdb": duckdb.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "scikit-learn": importlib.metadata.version("scikit-learn"),
    }
