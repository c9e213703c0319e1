"""What a run gives back: its tables as relations, and a readable summary."""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from custseg_duck.arguments import require_connection
from custseg_duck.errors import InputError, QueryError, code_of, message_of
from custseg_duck.options import plain
from custseg_duck.reporting import export_report


@dataclass(frozen=True, repr=False)
class RunResult:
    """The tables of one run, read afresh from the database each time.

    Attributes
    ----------
    con : DuckDBPyConnection
        The connection that the run used; keep it open.
    name : str
        The run's name.
    is_unchanged : bool
        Whether a refresh found nothing to do.
    """

    con: duckdb.DuckDBPyConnection
    name: str
    is_unchanged: bool = False

    @property
    def features(self) -> duckdb.DuckDBPyRelation:
        """One row per customer: every feature."""
        return self._rows("from custseg.customer_features where run_name = $1")

    @property
    def segments(self) -> duckdb.DuckDBPyRelation:
        """One row per customer: its segment."""
        return self._rows("from custseg.segments where run_name = $1")

    @property
    def summary(self) -> duckdb.DuckDBPyRelation:
        """One row per segment: its size and shares."""
        return self._rows("from custseg.segment_summary where run_name = $1")

    @property
    def profiles(self) -> duckdb.DuckDBPyRelation:
        """One row per segment and feature: what sets it apart."""
        return self._rows("from custseg.segment_profiles where run_name = $1")

    @property
    def centroids(self) -> duckdb.DuckDBPyRelation:
        """One row per segment and clustered feature: the centre."""
        return self._rows("from custseg.centroids where run_name = $1")

    @property
    def k_candidates(self) -> duckdb.DuckDBPyRelation:
        """What speaks for and against each number of segments, of a run with ``k="auto"``."""
        return self._rows("from custseg.k_candidates where run_name = $1 order by k")

    @property
    def itemsets(self) -> duckdb.DuckDBPyRelation:
        """Frequent itemsets."""
        return self._rows("from custseg.itemsets where run_name = $1")

    @property
    def itemset_plan(self) -> duckdb.DuckDBPyRelation:
        """How the itemsets were counted, and of how much."""
        return self._rows("from custseg.itemset_plan where run_name = $1")

    @property
    def rules(self) -> duckdb.DuckDBPyRelation:
        """Association rules."""
        return self._rows("from custseg.rules where run_name = $1")

    @property
    def top_rules(self) -> duckdb.DuckDBPyRelation:
        """The rules to act on."""
        return self._rows("from custseg.top_rules where run_name = $1 order by rule_id")

    @property
    def segment_rules(self) -> duckdb.DuckDBPyRelation:
        """Rules within each segment, against all others."""
        return self._rows("from custseg.segment_rules where run_name = $1")

    @property
    def recommendations(self) -> duckdb.DuckDBPyRelation:
        """What to offer to each customer, and why."""
        return self._rows("from custseg.recommendations where run_name = $1")

    @property
    def line_counts(self) -> duckdb.DuckDBPyRelation:
        """What became of the source's lines, by reason."""
        return self._rows("from custseg.line_counts where run_name = $1")

    @property
    def labels(self) -> duckdb.DuckDBPyRelation:
        """What the segments are called: to be edited in ``custseg.segment_labels``."""
        return self._rows("from custseg.segment_labels where run_name = $1 order by segment")

    @property
    def descriptions(self) -> duckdb.DuckDBPyRelation:
        """Each segment in a sentence."""
        return self._rows(
            "select segment, label, description "
            "from custseg.segment_labels inner join ("
            "with custseg_summary as (from custseg.segment_summary where run_name = $1), "
            "custseg_centroids as (from custseg.centroids where run_name = $1) "
            "from custseg.segment_descriptions('custseg_summary', 'custseg_centroids')"
            ") using (segment) where run_name = $1 order by segment"
        )

    @property
    def preferences(self) -> duckdb.DuckDBPyRelation:
        """What each segment buys the most, what it prefers, and when it comes."""
        return self._rows("from custseg.segment_preferences where run_name = $1")

    @property
    def decision_rules(self) -> duckdb.DuckDBPyRelation:
        """What puts a customer into each segment, as an SQL condition and in words."""
        return self._rows("from custseg.decision_rules where run_name = $1 order by segment")

    @property
    def decision_tree(self) -> duckdb.DuckDBPyRelation:
        """The segments as one SQL CASE expression, and on how many customers it agrees."""
        return self._rows("from custseg.decision_trees where run_name = $1")

    @property
    def rfm_segments(self) -> duckdb.DuckDBPyRelation:
        """One row per customer: its RFM segment."""
        return self._rows("from custseg.rfm_segments where run_name = $1")

    @property
    def migration(self) -> duckdb.DuckDBPyRelation:
        """Who moved from which segment to which, in the latest refresh."""
        return self._rows(
            "from custseg.migrations where run_name = $1 "
            "and run_id = (select max(run_id) from custseg.runs where run_name = $1)"
        )

    @property
    def drift(self) -> duckdb.DuckDBPyRelation:
        """How far each feature is from what it was when the model before was fitted."""
        return self._rows("from custseg.feature_drift where run_name = $1")

    def explain(self, customer_id: object) -> duckdb.DuckDBPyRelation:
        """Why a customer is in its segment, and what would move it to another.

        No rows for a customer that the run has not.

        Raises
        ------
        InputError
            If it can be no customer's id, or the run's model was dropped.
        """
        with self._told("custseg.explain"):
            found = self.con.sql(
                "from custseg.explain($1, of_run := $2)", params=[plain(customer_id), self.name]
            )
            try:
                found.limit(1).fetchall()  # or an error would come when it is read
            except duckdb.ConversionException as error:
                raise InputError(
                    "customer_id must be of the type of the run's ids, "
                    f"got {customer_id!r} [no-customer]"
                ) from error
        return found

    def report(self, path: str | os.PathLike[str], *, title: str | None = None) -> Path:
        """Write all of it as one HTML page for people; see ``custseg_duck.export_report``."""
        return export_report(self.con, path, name=self.name, title=title)

    def _rows(self, query: str) -> duckdb.DuckDBPyRelation:
        """What a query gives, whose parameter is the run's name."""
        with self._told(re.findall(r"custseg\.\w+", query)[-1]):
            return self.con.sql(query, params=[self.name])

    @contextlib.contextmanager
    def _told(self, table: str) -> Iterator[None]:
        """Say in our words why ``table`` cannot be read.

        Raises
        ------
        InputError
            If it was not left, or the SQL refuses a value.
        QueryError
            If it fails otherwise.
        """
        require_connection(self.con)
        try:
            yield
        except duckdb.CatalogException as error:
            raise InputError(
                f"the run {self.name!r} must have left {table}, got none [no-result]"
            ) from error
        except duckdb.Error as error:
            message = message_of(error)
            if code_of(message):
                raise InputError(message) from error
            raise QueryError(table, "", error) from error

    def __repr__(self) -> str:
        sizes = self.summary.project("segment, n_customers, customer_share").fetchall()
        ((n_itemsets,),) = self.itemsets.aggregate("count(*)").fetchall()
        ((n_rules,),) = self.rules.aggregate("count(*)").fetchall()
        n_customers = sum(n for _, n, _ in sizes)
        shares = ", ".join(f"{segment}: {share:.1%}" for segment, _, share in sizes)
        return (
            f"RunResult {self.name!r}: {n_customers:,} customers in {len(sizes)} segments "
            f"({shares}), {n_itemsets:,} itemsets, {n_rules:,} rules"
        )
