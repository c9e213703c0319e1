"""What all sections of a report go by: the run, its segments and what they are called."""

from typing import Any, NamedTuple

import duckdb

from custseg_duck.reading import Row, item_labels, rows_of, run_of
from custseg_duck.reporting.figures import Figures
from custseg_duck.reporting.words import short

N_TRAITS = 3  # that set a segment apart


class Facts(NamedTuple):
    """The run of a report, and where its figures are made.

    run : a row of sql/report/run.sql; segments : the rows of sql/report/segments.sql
    """

    con: duckdb.DuckDBPyConnection
    name: str
    run: Row
    segments: list[Row]
    figures: Figures

    def rows(self, statement: str, needs: str, **parameters: object) -> list[Row]:
        """Rows of sql/report/<statement>.sql of this run."""
        return rows_of(self.con, statement, needs, run_name=self.name, **parameters)

    def with_items(self, rows: list[Row], *sides: str) -> list[Row]:
        """Rows whose sides hold what items are called, instead of their ids."""
        labels = {item: short(name) for item, name in item_labels(rows, *sides).items()}
        return [
            row | {f"{side}s": [labels[item] for item in row[f"{side}s"]] for side in sides}
            for row in rows
        ]

    @property
    def has_lines(self) -> bool:
        """Whether the run read order lines."""
        return bool(self.run["n_lines"])

    @property
    def has_revenue(self) -> bool:
        """Whether the order lines have amounts."""
        return any(row["revenue_share"] is not None for row in self.segments)

    @property
    def labels(self) -> dict[int, str]:
        """What each segment is called; empty where nobody says."""
        return {row["segment"]: short(row["label"] or "") for row in self.segments}


def facts_of(con: duckdb.DuckDBPyConnection, name: str) -> Facts:
    """The facts of the latest run of a name.

    Raises
    ------
    InputError
        If there is none.
    """
    run = run_of(con, name)
    segments = rows_of(con, "segments", "segment_summary", run_name=name, n=N_TRAITS)
    return Facts(con, name, run, segments, Figures())


def grouped(rows: list[Row], key: str) -> dict[Any, list[Row]]:
    """Rows by the value of a column, in their order."""
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found
