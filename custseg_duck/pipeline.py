"""run(): from order lines to the tables of custseg. The steps are data; their SQL is in sql/run."""

import datetime
import importlib
import importlib.metadata
import logging
import math
import platform
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import duckdb
import numpy as np

from custseg_duck import catalog, mining
from custseg_duck.errors import CustsegWarning, InputError, QueryError
from custseg_duck.functions import in_transaction
from custseg_duck.loading import is_read_only, load
from custseg_duck.options import check
from custseg_duck.result import RunResult
from custseg_duck.source import (
    append,
    attach,
    attach_features,
    attach_model,
    attach_nothing,
    detach,
    drop_steps,
    exists,
    forget,
    publish,
)
from custseg_duck.steps import execute
from custseg_duck.udfs import gmm, kmeans
from custseg_duck.version import __version__

logger = logging.getLogger(__name__)

# Each step is the statement sql/run/<step>.sql, which makes the temporary table custseg_run_<step>.
# The lines are read once, and forgotten as soon as all is counted that is counted of them ...
READ = ("lines", "line_report", "customer_features", "purchased_items", "item_lines", "item_names")
VECTORS = ("transform", "vectors")
DESCRIBE = ("segments", "segment_summary", "segment_profiles", "centroids")
RULES = "rules"
SEGMENT_RULES = "segment_rules"
OFFERS = ("offer_rules", "recommendations")
# ... and these steps need the number of the run, which is taken when it is published.
RECORD = ("models", "segment_history", "runs")
CHOOSE = "k_candidates"  # only if k is to be chosen
PURCHASES = "customer_purchases"  # that the optional steps read
OPTIONAL = (SEGMENT_RULES, *OFFERS)
STEPS = (
    *(*READ, PURCHASES),
    *(*VECTORS, CHOOSE, "fit", *DESCRIBE),
    *(*mining.STEPS, RULES, *OPTIONAL, "publish"),
)

_publishing = threading.Lock()

# What a run leaves: the table and the column that holds the run's name. These rows are replaced ...
REPLACED = (
    ("customer_features", "run_name"),
    ("segments", "run_name"),
    ("segment_summary", "run_name"),
    ("segment_profiles", "run_name"),
    ("centroids", "run_name"),
    ("itemset_plan", "run_name"),
    ("itemsets", "run_name"),
    ("rules", "run_name"),
    ("models", "name"),
)
# ... and these are kept from run to run.
APPENDED = ("runs", "segment_history")

# Views over them, each by the table that it reads, which not every run leaves
VIEWS = {"line_counts": "runs", "top_rules": RULES, "top_segment_rules": SEGMENT_RULES}

OFFER_SHARE = 0.0002  # of the orders
FEW_ORDERS = 5  # a rule of fewer is left to chance

LARGE_SEGMENT = 0.9
BATCH_ROWS = 100_000  # of vectors on their way to the fit

Progress = Callable[[str, float, int], None]


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
    report = _Reporter(progress)
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
        _publish(con, parameters)
    except duckdb.Error as error:
        raise QueryError(report.step, "", error) from error
    finally:
        detach(con)
        con.execute("drop view if exists temp.main.custseg_run_vectors")
        drop_steps(con, {*STEPS, *RECORD} - {"vectors", "fit", "publish"})
    for note in notes:
        warnings.warn(note, CustsegWarning, stacklevel=2)
    return RunResult(con, name)


def _make(
    con: duckdb.DuckDBPyConnection, parameters: dict[str, Any], report: "_Reporter"
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
        parameters["k"], note = _choice(con)
        notes += note
    report("fit")
    fitted = _fit(con, parameters, report)
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
    return _notes_on_segments(fitted) + notes + mining.notes_on_itemsets(con)


def _optional_steps(parameters: Mapping[str, Any]) -> list[str]:
    """Those that are asked for; all of them need order lines."""
    wanted = [SEGMENT_RULES] if parameters["segment_rules"] else []
    wanted += OFFERS if parameters["n_recommendations"] else []
    return wanted if parameters["has_lines"] else []


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


def _publish(con: duckdb.DuckDBPyConnection, parameters: dict[str, Any]) -> None:
    """Put the results into the tables of custseg, in one transaction, one run at a time.

    Of two transactions that replace a table DuckDB refuses one; and only one process can write to
    a database.
    """
    with _publishing:
        con.execute("begin")
        try:
            parameters["run_id"] = _next_run_id(con)
            for step in RECORD:
                execute(con, step, parameters)
            for table, run_column in REPLACED:
                publish(con, table, run_column, parameters["run_name"])
            made = {*_optional_steps(parameters)}
            if parameters["options"]["k"] == "auto":
                made.add(CHOOSE)
            for table in (CHOOSE, *OPTIONAL):
                if table in made:
                    publish(con, table, "run_name", parameters["run_name"])
                else:
                    forget(con, table, parameters["run_name"])
            for table in APPENDED:
                append(con, table)
            for view, table in VIEWS.items():
                if exists(con, table):
                    con.execute(catalog.statement(f"run/{view}"))
            con.execute("commit")
        except BaseException:
            con.execute("rollback")
            raise


def _versions() -> dict[str, str]:
    return {
        "custseg_duck": __version__,
        "duckdb": duckdb.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "scikit-learn": importlib.metadata.version("scikit-learn"),
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


def _fit(
    con: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any], report: "_Reporter"
) -> dict[str, Any]:
    """Fit on all vectors, streamed into one array in whatever order they come."""
    from custseg_duck.udfs.arrow import from_lists

    ((n_rows, transform),) = con.execute(
        "select (select count(*) from custseg_run_vectors), transform from custseg_run_transform"
    ).fetchall()
    n_features = len(transform)
    n_bytes, limit = 8 * n_rows * n_features, parameters["max_fit_bytes"]
    if limit is not None and n_bytes > limit:
        raise InputError(
            f"max_fit_bytes must be at least {n_bytes} to cluster {n_rows} customers by "
            f"{n_features} features, got {limit}. Raise it, take fewer features (include=...), or "
            "fewer customers (since=...)"
        )
    points = np.empty((n_rows, n_features))
    start = 0
    vectors = "select features from custseg_run_vectors"
    try:
        for batch in con.sql(vectors).to_arrow_reader(BATCH_ROWS):
            stop = start + len(batch)
            points[start:stop] = from_lists(batch.column(0))
            start = stop
            report.advance(start / n_rows / 2)  # the other half of the step is the fit
    except OSError as error:  # what Arrow makes of an interrupt
        raise QueryError("fit", vectors, error) from error
    k, seed = parameters["k"], parameters["seed"]
    try:
        if parameters["algorithm"] == "kmeans":
            return kmeans.fit(points, k, seed=seed, features=transform)
        covariance_type = parameters["covariance_type"]
        return gmm.fit(points, k, covariance_type=covariance_type, seed=seed, features=transform)
    except ValueError as error:
        raise InputError(f"{error}; there are {n_rows} customers") from error


def _choice(con: duckdb.DuckDBPyConnection) -> tuple[int, list[str]]:
    """The recommended number of segments, and what to note if there is none."""
    candidates = con.execute(
        "select k, is_recommended, reason from custseg_run_k_candidates order by k"
    ).fetchall()
    for k, is_recommended, _ in candidates:
        if is_recommended:
            return k, []
    reasons = "; ".join(f"k = {k}: {reason}" for k, _, reason in candidates if k > 1)
    return 1, [
        "no clear segments were found, so all customers are in one. Ask for a number (k=...) to "
        f"divide them all the same. {reasons or 'They do not differ'}"
    ]


def _notes_on_segments(fitted: Mapping[str, Any]) -> list[str]:
    """What a person should know before using the segments."""
    notes = []
    sizes = [component["n"] for component in fitted["components"]]
    share = sizes[0] / sum(sizes)
    n_empty = sizes.count(0)
    if n_empty:
        notes.append(
            f"{n_empty} of {len(sizes)} segments hold no customer, because others are more "
            "probable everywhere. Ask for fewer"
        )
    if len(sizes) > 1 and share > LARGE_SEGMENT:
        notes.append(
            f"segment 0 holds {share:.1%} of the customers: the others are outliers that drew a "
            "centre of their own. Leave them out, or cluster by other features (exclude=...)"
        )
    if not fitted["converged"]:
        notes.append(f"{fitted['algorithm']} did not converge in {fitted['n_iter']} iterations")
    return notes


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


def _next_run_id(con: duckdb.DuckDBPyConnection) -> int:
    if not exists(con, "runs"):
        return 1
    ((last,),) = con.execute("select max(run_id) from custseg.runs").fetchall()
    return int(last or 0) + 1


class _Reporter:
    """Tells the caller which step begins, and keeps how long each one took."""

    def __init__(self, progress: Progress | None) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress
        self.step = ""
        self._began = time.perf_counter()

    def __call__(self, step: str) -> None:
        now = time.perf_counter()
        if self.step:
            self.seconds[self.step] = now - self._began
        self.step, self._began = step, now
        logger.info("%s", step)
        self.advance(0)

    def advance(self, share: float) -> None:
        """Say how much of the step is done, 0 to 1."""
        if self._progress:
            self._progress(self.step, STEPS.index(self.step) + share, len(STEPS))
