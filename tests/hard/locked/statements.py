"""Statements that are tried: one of each macro that is not over a relation, and some views."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import duckdb

from tests.test_hazards import rows

Call = Callable[[duckdb.DuckDBPyConnection, Path], object]
VECTORS = "custseg.feature_vectors('custseg.customer_features')"
OF_RUN = "from vectors_of_run cross join custseg.models"
STATEMENTS = {
    "version": "select custseg.version()",
    "help": "select name, call from custseg.help() where kind like '%macro'",
    "assign": f"select customer_id, custseg.assign(model, features) {OF_RUN}",
    "distances": f"select customer_id, custseg.distances(model, features) {OF_RUN}",
    "check_model": "select custseg.check_model(model) from custseg.models",
    "model_checksum": "select custseg.model_checksum(model) from custseg.models",
    "stored_model": "select model from custseg.stored_model('default')",
    "kmeans_fit": "select custseg.kmeans_fit(features, k := 3, seed := 0) from vectors_of_run",
    "gmm_fit": "select custseg.gmm_fit(features, k := 2, covariance_type := 'diag') "
    "from vectors_of_run",
    "refit": f"select custseg.refit(features, model) {OF_RUN}",
    "match_segments": "select custseg.match_segments(model, model) from custseg.models",
    "probabilities": "with fitted as materialized (select custseg.gmm_fit(features, k := 2, "
    "covariance_type := 'diag') as model from vectors_of_run) select customer_id, "
    "custseg.probabilities(model, features), custseg.log_densities(model, features) "
    "from vectors_of_run cross join fitted",
    "apply_transform": "from custseg.apply_transform('custseg.customer_features', "
    "(select model.features from custseg.models))",
    "fisher_p_value": "select custseg.fisher_p_value(100, 10, 20, 5)",
    "normal_tail": "select custseg.normal_tail(1.5)",
    "hyper_lift": "select custseg.hyper_lift(100, 10, 20, 5)",
    "rfm_scores": "from custseg.rfm_scores('custseg.customer_features', 'custseg.rfm_cut_points')",
    "rfm_summary": "from custseg.rfm_summary('custseg.rfm_segments')",
    "itemset_plan": "from custseg.itemset_plan('main.order_lines')",
    "mine_rules": "from custseg.mine_rules('main.order_lines', min_support := 0.05)",
    "level_rules": "from custseg.level_rules('main.order_lines', min_support := 0.05)",
    "recommendation_metrics": "from custseg.recommendation_metrics('main.order_lines', "
    "min_count := 3)",
    "fingerprint": "from custseg.fingerprint('main.order_lines')",
    "silhouettes": "from custseg.silhouettes('vectors_of_run', 'custseg.segments')",
    "exact_silhouettes": "from custseg.exact_silhouettes('vectors_of_run', 'custseg.segments')",
    "cluster_metrics": "from custseg.cluster_metrics('vectors_of_run', 'custseg.segments')",
    "model_metrics": "from custseg.model_metrics('vectors_of_run', 'custseg.models')",
    "k_sweep": "select k, inertia, is_recommended from custseg.k_sweep('vectors_of_run', "
    "ks := [1, 2, 3], n_bootstraps := 2)",
    "outliers": "from custseg.outliers('custseg.segments')",
    "segment_crosstab": "from custseg.segment_crosstab('custseg.segments', "
    "'custseg.customer_features')",
    "decision_rules": "from custseg.decision_rules('custseg.decision_trees')",
    "score of a new table": "from custseg.score('custseg.customer_features', 'default')",
    "to_timestamp": "select custseg.to_timestamp('2024-06-15 13:00:00Z', 'ordered_at', "
    "'Asia/Tokyo'), custseg.to_timestamp(timestamptz '2024-06-15 13:00:00+00', 'x', null)",
    "time_zone": "from custseg.order_lines('main.order_lines', time_zone := 'America/New_York', "
    "since := '2024-01-05')",
    "a bad option": "from custseg.order_lines('main.order_lines', returns := 'none')",
    "a bad transform": "from custseg.feature_transform('custseg.customer_features', "
    "include := ['zork'])",
    "decision_rules view": "from custseg.decision_rules",
    "top_rules": "from custseg.top_rules",
    "labelled_segments": "from custseg.labelled_segments",
    "line_counts": "from custseg.line_counts",
}
# What reads texts without a macro of ours that could refuse the collation
COLLATED = ("top_rules",)
REFUSED_EVERYWHERE = ("a bad option", "a bad transform")


class _Spelled:
    """A connection on which main.order_lines is named in full.

    DuckDB's query_table takes the schema main for none, and reads the current one's table.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        ((self._database,),) = con.execute("select current_database()").fetchall()

    def execute(self, query: str) -> duckdb.DuckDBPyConnection:
        """The same query of the table that is meant."""
        return self._con.execute(
            query.replace("'main.order_lines'", f"'{self._database}.main.order_lines'")
        )


def statement(name: str) -> Call:
    def call(con: duckdb.DuckDBPyConnection, _: Path) -> object:
        if "vectors_of_run" in STATEMENTS[name]:
            con.execute(f"create or replace temp view vectors_of_run as from {VECTORS}")
        return _Spelled(con).execute(STATEMENTS[name]).fetchall()

    return call


def macro(name: str, relation: str) -> Call:
    return lambda con, _: rows(cast("duckdb.DuckDBPyConnection", _Spelled(con)), name, relation)
