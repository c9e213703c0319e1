"""Publishes a run: its temporary tables become those of custseg, all in one transaction."""

from collections.abc import Collection
from typing import Any

import duckdb

from custseg_duck import catalog
from custseg_duck.documentation import comment_results
from custseg_duck.statements import dropped_object
from custseg_duck.steps import execute
from custseg_duck.tables import append, create, exists, forget, replace
from custseg_duck.transactions import write

# These steps need the number of the run, which is taken when it is published.
RECORD = ("segment_labels", "models", "segment_history", "runs")

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
    ("segment_labels", "run_name"),
)
# ... these too, if they were asked for: otherwise the run's rows of before are deleted ...
OPTIONAL = (
    "k_candidates", "decision_trees", "rfm_cut_points", "rfm_segments", "segment_preferences",
    "segment_matches", "feature_drift", "segment_rules", "offer_rules", "recommendations",
)  # fmt: skip
# ... and these are kept from run to run.
APPENDED = ("runs", "segment_history")

# Views over them, each by the table that it reads, which not every run leaves
VIEWS = {
    "line_counts": "runs",
    "latest_models": "models",
    "labelled_segments": "segments",
    "decision_rules": "decision_trees",
    "migrations": "segment_history",
    "top_rules": "rules",
    "top_segment_rules": "segment_rules",
}


def publish(
    con: duckdb.DuckDBPyConnection, parameters: dict[str, Any], made: Collection[str]
) -> None:
    """Put the results into the tables of custseg, in one transaction.

    ``made`` are those of ``OPTIONAL`` that there are.

    The results are in temporary tables already: nothing is computed again if it collides with
    another transaction.
    """
    notes = list(parameters["notes"])

    def publish_all() -> None:
        parameters["notes"][:] = notes
        _publish(con, parameters, made)

    write(con, "publish", publish_all)


def _publish(
    con: duckdb.DuckDBPyConnection, parameters: dict[str, Any], made: Collection[str]
) -> None:
    name = parameters["run_name"]
    parameters["run_id"] = _next_run_id(con)
    for view in VIEWS:  # with enable_view_dependencies no table is replaced that one reads
        con.execute(dropped_object("view", view))
    con.execute(catalog.statement("run/label_table"))
    version = _version_of_the_same(con, name)
    parameters["model_version"] = version or next_version(con, name)
    execute(con, "segment_labels", parameters)
    parameters["notes"] += _notes_on_labels(con, name)
    for step in RECORD[1:]:
        execute(con, step, parameters)
    if version is None:
        append(con, "models")
    create(con, "rfm_names")
    for table, run_column in REPLACED:
        replace(con, table, run_column, name)
    for table in OPTIONAL:
        if table in made:
            replace(con, table, "run_name", name)
        else:
            forget(con, table, name)
    for table in APPENDED:
        append(con, table)
    for view, table in VIEWS.items():
        if exists(con, table):
            con.execute(catalog.statement(f"run/{view}"))
    comment_results(con)


def _next_run_id(con: duckdb.DuckDBPyConnection) -> int:
    if not exists(con, "runs"):
        return 1
    ((last,),) = con.execute("select max(run_id) from custseg.runs").fetchall()
    return int(last or 0) + 1


def _version_of_the_same(con: duckdb.DuckDBPyConnection, name: str) -> int | None:
    """The version of this name that scores as the fitted model does, if there is one."""
    if not exists(con, "models"):
        return None
    found = con.execute(
        "select max(version) from custseg.models as stored, custseg_run_model as fitted "
        "where stored.name = $name and stored.model.features = fitted.model.features "
        "and stored.model.components = fitted.model.components",
        {"name": name},
    ).fetchall()
    return int(found[0][0]) if found[0][0] is not None else None


def next_version(con: duckdb.DuckDBPyConnection, name: str) -> int:
    """One that no model of this name has or had."""
    used = [0]
    for table, query in (
        ("models", "select max(version) from custseg.models where name = $name"),
        ("runs", "select max(model_version) from custseg.runs where run_name = $name"),
    ):
        if exists(con, table):
            ((version,),) = con.execute(query, {"name": name}).fetchall()
            used.append(version or 0)
    return 1 + max(used)


def _notes_on_labels(con: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """Which labels that people gave have no segment any more."""
    lost = con.execute(
        "select string_agg(format('{} (segment {})', label, segment), ', ' order by segment) "
        "from custseg.segment_labels where run_name = $name and label <> suggested_label "
        "and label not in (select label from custseg_run_segment_labels)",
        {"name": name},
    ).fetchall()[0][0]
    if lost is None:
        return []
    return [f"labels that were given to segments of the run before fit none of this one: {lost}"]
