"""From order lines to the tables of custseg. The steps are data; their SQL is in sql/run."""

import functools
import importlib
import importlib.metadata
import math
import platform
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import duckdb
import numpy as np

from custseg_duck import fitting, mining, publishing, udfs
from custseg_duck.errors import CustsegWarning, InputError, QueryError, code_of, message_of
from custseg_duck.functions import in_transaction
from custseg_duck.history import PastRun, past_run, recorded, recorded_inputs
from custseg_duck.loading import is_read_only, load
from custseg_duck.result import RunResult
from custseg_duck.source import (
    attach,
    attach_features,
    attach_model,
    attach_nothing,
    detach,
    require_time_zone,
)
from custseg_duck.steps import Progress, Reporter, execute
from custseg_duck.stopping import alone, interruptible
from custseg_duck.tables import drop_steps, drop_views, keep
from custseg_duck.transactions import tidied
from custseg_duck.version import __version__

# Each step is the statement sql/run/<step>.sql, which makes the temporary table custseg_run_<step>.
# The lines are read once, and forgotten as soon as all is counted that is counted of them.
READ = ("lines", "line_report", "fingerprint")
READING = ("lines", "own_fingerprint", "own_features")  # of the user's tables
# The features by families, one statement each: all at once would take several times the memory
FAMILIES = (
    "orders", "repeat_counts", "rfm", "purchase_frequency", "product_diversity", "timing",
    "department_shares",
)  # fmt: skip
# and one after another into one table
JOINED = ("order_features", "product_features", "timed_features", "joined_features")
FEATURES = "customer_features"
COUNT = ("purchased_items", "item_lines", "item_names")
PREFERENCES = ("preference_counts", "segment_preferences")  # of order lines
PURCHASES = "customer_purchases"  # that rules of segments and offers read
RFM = ("rfm_names", "rfm_cut_points", "rfm_segments")  # of features computed of order lines
CHOOSE = "k_candidates"  # only if k is to be chosen
DESCRIBE = (
    "segments", "segment_summary", "segment_profiles", "centroids", "model_metrics",
    "drifting_features", "feature_histograms",
)  # fmt: skip
TREE = "decision_trees"
SINCE = ("segment_matches", "feature_drift")  # since the run before
SEGMENT_RULES = "segment_rules"
OFFERS = ("offer_rules", "recommendations")
STEPS = (
    *(*READ, *FAMILIES, *JOINED, FEATURES, *RFM, *COUNT, PREFERENCES[0], PURCHASES),
    *("transform", "vectors", CHOOSE, "fit", *DESCRIBE, TREE, PREFERENCES[1], *SINCE),
    *(*mining.STEPS, "rules", SEGMENT_RULES, *OFFERS, "publish"),
)
VIEWS = ("vectors", "drifting_features")

Fit = Literal["new", "matched", "warm", "frozen"]

OFFER_SHARE = 0.0002  # of the orders
FEW_ORDERS = 5  # a rule of fewer is left to chance


@dataclass
class Job:
    """What is to be run, and what it goes on from.

    fit : "new" starts anew, as if there had been no run before; "matched" too, but numbers the
    segments as they were; "warm" goes on from the model of the run before, "frozen" keeps it
    """

    source: object
    features: object
    columns: Mapping[str, str]
    options: dict[str, Any]
    fit: Fit = "new"
    past: PastRun | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def continues(self) -> bool:
        """Whether segments keep the numbers of the run before."""
        return self.fit != "new"

    @property
    def keeps_features(self) -> bool:
        """Whether vectors are made as for the model before."""
        return self.fit in ("warm", "frozen")


def carry_out(
    job: Job, con: duckdb.DuckDBPyConnection | None, progress: Progress | None
) -> RunResult:
    """Carry out a job whose options are checked: all of it, or on any error nothing.

    Raises
    ------
    InputError
        If the source is not as it must be, or a transaction is open.
    QueryError
        If a statement fails.
    """
    name = job.options["name"]
    con = duckdb.connect() if con is None else con
    report = Reporter(progress, STEPS)
    is_unchanged = False
    try:
        with interruptible(con, "run"), alone(con):
            writable(con, "run")
            _forget_steps(con)  # what may be left if one was interrupted again and again
            if job.past is None:
                job.past = past_run(con, name)
            parameters = parameters_of(job)
            with tidied(functools.partial(_forget_steps, con)):
                parameters |= attach_sources(con, job)
                is_unchanged = not _make(con, job, parameters, report)
                if not is_unchanged:
                    report("publish")
                    parameters |= {"seconds": report.seconds}
                    publishing.publish(con, parameters, _optional_tables(parameters))
    except duckdb.Error as error:
        if code_of(message_of(error)):  # SQL of ours refuses something, such as a dropped model
            raise InputError(message_of(error)) from error
        raise QueryError(report.step or "source", "", error) from error
    for note in job.notes:
        warnings.warn(note, CustsegWarning, stacklevel=3)
    return RunResult(con, name, is_unchanged)


def _forget_steps(con: duckdb.DuckDBPyConnection) -> None:
    """Drop what a run makes for itself."""
    detach(con)
    drop_views(con, VIEWS)
    drop_steps(con, {*STEPS, *publishing.RECORD} - {*VIEWS, "fit", "publish"})


def writable(con: duckdb.DuckDBPyConnection, what: str) -> duckdb.DuckDBPyConnection:
    """The connection with the SQL surface; ``what`` is what an error calls who needs it.

    Raises
    ------
    InputError
        If a transaction is open, or the database is read-only.
    QueryError
        If it cannot be used, or the macros cannot be written.
    """
    try:
        if in_transaction(con):
            raise InputError(
                f"{what} must be called outside a transaction, because it is one itself, got an "
                "open one. Commit or roll back first [transaction]"
            )
        load(con)
        read_only = is_read_only(con)
    except duckdb.Error as error:  # it was interrupted, or shut down after a failure to write
        raise QueryError("load", "", error) from error
    if read_only:
        raise InputError(
            f"{what} must be able to write to the current database, got a read-only one [read-only]"
        )
    return con


def parameters_of(job: Job) -> dict[str, Any]:
    """What the steps are told, as far as it is known before anything is read."""
    options, past = job.options, job.past
    return options | {
        "run_name": options["name"],
        "containing": None,
        "min_support": 0.01 if options["min_support"] is None else options["min_support"],
        "created_at": datetime.now(UTC).replace(tzinfo=None),
        "options": recorded(options | {"columns": dict(job.columns)}),
        "versions": _versions(),
        "fit": job.fit,
        "continues": job.continues,
        "previous_run_id": past.run_id if past and job.continues else None,
        "previous_version": past.model_version if past else None,
        "has_lines": job.source is not None,
        "has_features": job.features is not None,
        "has_rfm": job.source is not None and job.features is None,
        "notes": job.notes,
    }


def attach_sources(con: duckdb.DuckDBPyConnection, job: Job) -> dict[str, Any]:
    """Put the sources before the steps; what they are and which lines' columns will be read."""
    described: list[str] = []
    require_time_zone(con, job.options["time_zone"])
    if job.source is None:
        found = attach_nothing(con)
    else:
        description, found = attach(con, job.source, job.columns, job.options["time_zone"])
        described.append(description)
    if job.features is not None:
        described.append(f"features {attach_features(con, job.features, job.columns)}")
    return {
        "source": "; ".join(described),
        "inputs": recorded_inputs(con, source=job.source, features=job.features),
        "line_columns": _line_columns(found, job.options),
    }


class Steps:
    """Makes steps one after another, each as a temporary table."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, parameters: dict[str, Any], report: Reporter
    ) -> None:
        self.con, self.parameters, self.report = con, parameters, report

    def __call__(self, *steps: str) -> None:
        """Make steps by the statements of their names."""
        for step in steps:
            self.by(step, step)

    def by(self, step: str, statement: str) -> None:
        """Make one step by another statement than its own."""
        self.report(step)
        source = self.parameters["source"] if statement in READING else ""
        execute(self.con, statement, self.parameters, source)


def _make(
    con: duckdb.DuckDBPyConnection, job: Job, parameters: dict[str, Any], report: Reporter
) -> bool:
    """Make every result as a temporary table; False, and no more, if nothing has changed."""
    make = Steps(con, parameters, report)
    make("lines", "line_report")
    if parameters["has_lines"]:
        require_kept_lines(con)
    make.by("fingerprint", "own_fingerprint" if parameters["has_features"] else "fingerprint")
    if job.continues and _is_unchanged(con, job, parameters):
        return False
    make_features(make)
    libraries = threading.Thread(target=_import, args=(parameters["decision_rules"],), daemon=True)
    libraries.start()
    notes = _count(make, job)
    drop_steps(con, ("lines",))
    libraries.join()
    notes = [*_segment(make, job), *notes]
    mining.mine(con, parameters, report)
    make("rules")
    parameters |= _thresholds(con)
    if not parameters["n_orders"]:  # no line has an item
        parameters |= {"segment_rules": False, "n_recommendations": 0}
    make(*_optional_steps(parameters))
    job.notes += [*notes, *mining.notes_on_itemsets(con)]
    return True


def _count(make: Steps, job: Job) -> list[str]:
    """All else that is counted of the lines; what there is to note about them."""
    if make.parameters["has_rfm"]:
        _score(make, job)
    make(*COUNT)
    if make.parameters["has_lines"]:
        make(PREFERENCES[0], PURCHASES)
    return [] if make.parameters["has_features"] else _notes_on_orders(make.con)


def make_features(make: Steps) -> None:
    """The customers' features, by which they are clustered: their own, or those of the lines."""
    if make.parameters["has_features"]:
        make.by(FEATURES, "own_features")
        return
    make(*FAMILIES, *JOINED)
    drop_steps(make.con, (*FAMILIES, *JOINED[:-1]))
    make(FEATURES)
    drop_steps(make.con, JOINED[-1:])


def _score(make: Steps, job: Job) -> None:
    """The rule-based segments, by the names that people have edited and, going on, its bounds."""
    for step in RFM:
        names = step == "rfm_names"
        is_kept = names or (job.continues and step == "rfm_cut_points")
        run_name = None if names else make.parameters["run_name"]
        if not (is_kept and keep(make.con, step, run_name)):
            make(step)


def _segment(make: Steps, job: Job) -> list[str]:
    """The segments, and all that says what they are; what there is to note about them."""
    con, parameters, report = make.con, make.parameters, make.report
    notes: list[str] = []
    make.by("transform", "kept_transform" if job.keeps_features else "transform")
    make("vectors")
    if parameters["k"] == "auto" and not job.keeps_features:
        report(CHOOSE)
        fitting.make(con, CHOOSE, udfs.k_sweep, "sweep_inputs", parameters)
        parameters["k"], notes = fitting.choice(con)
    report("fit")
    fitted, matches = fitting.fit(con, parameters, report)
    attach_model(con, parameters["run_name"], fitted)
    if job.fit == "warm":  # the vectors follow the model to where its zero is now
        execute(con, "model_transform", parameters)
    make(*DESCRIBE)
    if parameters["decision_rules"]:
        names = [feature["name"] for feature in fitted["features"]]
        parameters["clustered_by"] = [*dict.fromkeys(names)]
        report(TREE)
        fitting.make(con, TREE, udfs.decision_tree, "tree_inputs", parameters)
    if parameters["has_lines"]:
        make(PREFERENCES[1])
    parameters["matches"] = [match._asdict() for match in matches]
    make("segment_matches")
    if job.continues:
        make("feature_drift")
        notes += fitting.notes_on_lost_features(con, fitted["features"])
    return [
        *fitting.notes_on_segments(fitted),
        *fitting.notes_on_matches(matches, parameters),
        *notes,
    ]


def _import(with_trees: bool) -> None:
    """Import what takes a second, while counting leaves a processor free for it.

    And 120 MB, so not while features are made, which of all need the most memory.
    """
    importlib.import_module("pyarrow")
    if with_trees:
        importlib.import_module("sklearn.tree")


# Which ways to fit would only find again what a run before has found, by how that one did
SAME_FITS = {
    "new": ("warm", "frozen", "matched"),
    "matched": ("warm", "frozen", "matched"),
    "warm": ("warm", "frozen"),
    "frozen": ("frozen",),
}


def _is_unchanged(con: duckdb.DuckDBPyConnection, job: Job, parameters: Mapping[str, Any]) -> bool:
    """Whether the run before has read the same and would do the same with it."""
    ((fingerprint,),) = con.execute("select fingerprint from custseg_run_fingerprint").fetchall()
    past = job.past
    return (
        past is not None
        and past.fingerprint == fingerprint
        and past.recorded_inputs == parameters["inputs"]  # or the next refresh would read the old
        and past.versions == parameters["versions"]
        and past.options == parameters["options"]
        and job.fit in SAME_FITS[past.fit]
    )


def _optional_steps(parameters: Mapping[str, Any]) -> list[str]:
    """Those that are asked for; all of them need order lines."""
    wanted = [SEGMENT_RULES] if parameters["segment_rules"] else []
    wanted += OFFERS if parameters["n_recommendations"] else []
    return wanted if parameters["has_lines"] else []


def _optional_tables(parameters: Mapping[str, Any]) -> set[str]:
    """Those that this run leaves and not every run does."""
    chosen = parameters["options"]["k"] == "auto" and parameters["fit"] in ("new", "matched")
    return {
        *([CHOOSE] if chosen else []),
        *([TREE] if parameters["decision_rules"] else []),
        *(PREFERENCES[1:] if parameters["has_lines"] else []),
        *(RFM[1:] if parameters["has_rfm"] else []),
        *(SINCE if parameters["continues"] else []),
        *_optional_steps(parameters),
    }


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
    unread = {"discount", "product_name"} - {options["item"]}
    if options["item"] == "product_id":
        unread -= {"product_name"}
    return [name for name in found if name not in unread | {"is_return"}] + [
        "is_return",
        "left_out",
    ]


def require_kept_lines(con: duckdb.DuckDBPyConnection) -> None:
    """Refuse a source none of whose lines counts.

    Raises
    ------
    InputError
        That says why they were left out.
    """
    counts = con.execute("select is_kept, reason, n_lines from custseg_run_line_report").fetchall()
    if not any(is_kept for is_kept, *_ in counts):
        reasons = ", ".join(f"{reason}: {n}" for _, reason, n in counts)
        raise InputError(
            "source must have at least one line with a purchase, "
            f"got none ({reasons or 'it is empty'}) [no-rows]"
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
