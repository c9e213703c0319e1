"""Fits the segments: vectors out of the database into one array, and what came of it in words."""

from collections.abc import Mapping
from typing import Any

import duckdb
import numpy as np

from custseg_duck.errors import InputError, QueryError
from custseg_duck.steps import Reporter
from custseg_duck.udfs import gmm, kmeans

LARGE_SEGMENT = 0.9
BATCH_ROWS = 100_000  # of vectors on their way to the fit


def fit(
    con: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any], report: Reporter
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
