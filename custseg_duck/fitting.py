"""Fits the segments: vectors out of the database into one array, and what came of it in words."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import duckdb
import numpy as np

from custseg_duck.errors import InputError, QueryError, code_of, without_code
from custseg_duck.history import stored_model
from custseg_duck.steps import Reporter, arrow_columns, execute
from custseg_duck.stopping import stoppable
from custseg_duck.tables import exists
from custseg_duck.udfs import gmm, kmeans
from custseg_duck.udfs.matching import Match, match, recentred, refitted, renumbered
from custseg_duck.udfs.points import Floats

LARGE_SEGMENT = 0.9
MADE = "custseg_run_made"
BATCH_ROWS = 100_000  # of vectors on their way to the fit


def fit(
    con: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any], report: Reporter
) -> tuple[dict[str, Any], list[Match]]:
    """The model of the run, and which of its segments is which of the model before.

    There are no matches without such a model, or if nobody asked for them: neither to keep the
    numbers nor for a label that was edited.
    """
    mode, name, version = (parameters[key] for key in ("fit", "run_name", "previous_version"))
    previous = None
    if parameters["continues"]:
        previous = stored_model(con, name, version)
    elif version is not None and _has_edited_labels(con, name):
        with contextlib.suppress(duckdb.Error):  # it was dropped
            previous = stored_model(con, name, version)
    if mode == "frozen" and previous is not None:
        return previous, _themselves(previous)
    points, transform = _points(con, parameters, report)
    begin = previous if mode == "warm" else None
    fitted = stoppable(con, "fit", lambda: _fitted(points, transform, parameters, begin))
    if previous is None:
        return fitted, []
    try:
        matches = match(fitted, previous)
    except ValueError as error:
        if mode == "new":  # of other features: then labels have nothing to go by
            return fitted, []
        raise InputError(str(error)) from error
    if mode == "new":
        return fitted, matches
    fitted = renumbered(fitted, matches)
    return fitted, match(fitted, previous)


def _fitted(
    points: Floats,
    transform: list[dict[str, Any]],
    parameters: Mapping[str, Any],
    previous: dict[str, Any] | None,
) -> dict[str, Any]:
    """The points' model; on from the previous one, if there is one."""
    n_rows = len(points)
    try:
        if previous is not None:
            return recentred(refitted(points, previous))
        k, seed = parameters["k"], parameters["seed"]
        if parameters["algorithm"] == "kmeans":
            return kmeans.fit(points, k, seed=seed, features=transform)
        covariance_type = parameters["covariance_type"]
        return gmm.fit(points, k, covariance_type=covariance_type, seed=seed, features=transform)
    except ValueError as error:
        message = str(error)
        raise InputError(
            f"{without_code(message)}; there are {n_rows} customers", code_of(message)
        ) from error


def _has_edited_labels(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    return exists(con, "segment_labels") and bool(
        con.execute(
            "select 1 from custseg.segment_labels "
            "where run_name = $name and label <> suggested_label limit 1",
            {"name": name},
        ).fetchall()
    )


def _themselves(model: Mapping[str, Any]) -> list[Match]:
    return [Match(i, i, 0.0, True) for i in range(len(model["components"]))]


def _points(
    con: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any], report: Reporter
) -> tuple[Floats, list[dict[str, Any]]]:
    """All vectors, streamed into one array in whatever order they come, and their transform."""
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
            "fewer customers (since=...) [limit]"
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
    return points, transform


def make(
    con: duckdb.DuckDBPyConnection,
    step: str,
    function: Callable[..., Any],
    inputs: str,
    parameters: Mapping[str, Any],
) -> None:
    """Make a step of what one of the UDFs gives, called outside of SQL, where it can be stopped.

    Parameters
    ----------
    step : str
        Its statement reads ``custseg_run_made``, a row with the column ``made``.
    function : callable
        Of ``udfs``.
    inputs : str
        The statement of ``sql/run`` that gives the function's arguments, in one row.

    Raises
    ------
    InputError
        If the function refuses them.
    QueryError
        If a statement fails or is interrupted.
    """
    import pyarrow as pa

    arguments = arrow_columns(con, inputs, parameters)
    try:
        made = stoppable(con, step, lambda: function(*arguments))
    except ValueError as error:
        raise InputError(str(error)) from error
    con.register(MADE, pa.table({"made": made}))
    try:
        execute(con, step, parameters)
    finally:
        con.unregister(MADE)


def choice(con: duckdb.DuckDBPyConnection) -> tuple[int, list[str]]:
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


def notes_on_segments(fitted: Mapping[str, Any]) -> list[str]:
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


def notes_on_lost_features(
    con: duckdb.DuckDBPyConnection, features: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Which of the features that customers are clustered by nobody has any more."""
    lost = {
        name
        for (name,) in con.execute(
            "select feature from custseg_run_feature_drift "
            "where level = 'missing' or (null_share_after = 1 and null_share_before < 1)"
        ).fetchall()
    }
    names = [name for name in dict.fromkeys(one["name"] for one in features) if name in lost]
    if not names:
        return []
    return [
        f"{', '.join(names)}: unknown of all customers, who are clustered by it, and so taken as "
        "usual for each. Does the source still have the columns that it is made of?"
    ]


def notes_on_matches(matches: Sequence[Match], parameters: Mapping[str, Any]) -> list[str]:
    """Which segments are not clearly what they were."""
    if not parameters["continues"]:
        return []
    unclear = [str(found.segment) for found in matches if not found.is_clear]
    if not unclear:
        return []
    return [
        f"segments {', '.join(unclear)} are not clearly those that had these numbers before: see "
        "custseg.segment_matches and look at their profiles before you rely on their labels"
    ]
