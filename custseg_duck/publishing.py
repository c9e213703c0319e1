"""Publishes a run: its temporary tables become those of custseg, all in one transaction."""

import threading
from collections.abc import Collection
from typing import Any

import duckdb

from custseg_duck import catalog
from custseg_duck.source import append, exists, forget, replace
from custseg_duck.steps import execute

# These steps need the number of the run, which is taken when it is published.
RECORD = ("models", "segment_history", "runs")

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
# ... these too, if they were asked for: otherwise the run's rows of before are deleted ...
OPTIONAL = ("k_candidates", "segment_rules", "offer_rules", "recommendations")
# ... and these are kept from run to run.
APPENDED = ("runs", "segment_history")

# Views over them, each by the table that it reads, which not every run leaves
VIEWS = {"line_counts": "runs", "top_rules": "rules", "top_segment_rules": "segment_rules"}

_publishing = threading.Lock()


def publish(
    con: duckdb.DuckDBPyConnection, parameters: dict[str, Any], made: Collection[str]
) -> None:
    """Put the results into the tables of custseg, in one transaction, one run at a time.

    ``made`` are those of ``OPTIONAL`` that there are.

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
                replace(con, table, run_column, parameters["run_name"])
            for table in OPTIONAL:
                if table in made:
                    replace(con, table, "run_name", parameters["run_name"])
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


def _next_run_id(con: duckdb.DuckDBPyConnection) -> int:
    if not exists(con, "runs"):
        return 1
    ((last,),) = con.execute("select max(run_id) from custseg.runs").fetchall()
    return int(last or 0) + 1
