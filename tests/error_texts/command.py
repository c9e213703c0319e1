"""What only the command, the SQL that it prints, or the charts refuse."""

import duckdb

from custseg_duck import plot
from tests.error_texts.calls import InPython, Refused


def chart(kind: str, name: str = "default", **options: int) -> InPython:
    def call(con: duckdb.DuckDBPyConnection) -> object:
        return getattr(plot, kind)(con, name=name, **options)

    return call


READING = [
    Refused(
        ("show", "-d", "nowhere.duckdb"),
        "database must be a file that exists, got nowhere.duckdb. custseg-duck run SOURCE "
        "--database nowhere.duckdb makes it [no-file]",
    ),
    Refused(
        ("show", "-d", "empty.duckdb"),
        "database must hold a run, got empty.duckdb without one: custseg-duck run makes one "
        "[no-run]",
    ),
    Refused(
        ("run", "order_lines", "-d", ""),
        "database must be the name of a file, got none [option]",
    ),
    Refused(
        ("show", "segment_matches"),
        "table must be one that a run has left, got segment_matches, which none has [no-result]",
    ),
    Refused(
        ("explain", "nobody"),
        "customer_id must be of the run 'default', got nobody [no-customer]",
    ),
]

PRINTING = [
    Refused(
        ("sql", "kmeans_fit"),
        "kmeans_fit must be plain SQL to be printed, got one that fits in Python, by "
        "custseg_kmeans_fit: call it after custseg_duck.load(con) [needs-python]",
    ),
    Refused(
        ("sql", "recommend", "['tea'"),
        "basket must be an SQL literal, got ['tea' [option]",
    ),
    Refused(
        ("sql", "recommend", "[now()]"),
        "basket must be an SQL literal, got [now()] [option]",
    ),
    Refused(
        ("sql", "itemsets", "'"),
        'source must be the name of a table or a file, got "\'" [no-source]',
    ),
    Refused(
        ("sql", "rfm", "order_lines", "--into", "made.parquet"),
        "into must be the name of a table, got 'made.parquet' [option]",
    ),
]

CHARTS = [
    Refused(
        chart("migration"),
        "the run 'default' must go on from one before to show who moved, got a first one. "
        "custseg_duck.refresh(con=con) makes the next [no-result]",
    ),
    Refused(chart("rule_network", n=0), "n must be an int in the range [1, inf), got 0 [option]"),
    Refused(
        chart("rule_network", name="tiny"),
        "the run 'tiny' must have rules to act on, got none in custseg.top_rules. Run it on order "
        "lines, perhaps with a lower min_support [no-result]",
    ),
    Refused(chart("projection", n=0), "n must be an int in the range [1, 2000], got 0 [option]"),
    Refused(
        chart("projection"),
        "the model of the run 'default' must be stored to show who is near, got none [no-model]",
        given="begin; delete from custseg.models where name = 'default'",
    ),
    Refused(
        chart("revenue", name="tiny"),
        "the run 'tiny' must be of order lines with an amount to show revenue, got none. Run it on "
        "lines with the column amount [no-result]",
    ),
    Refused(
        chart("choice_of_k"),
        "the run 'default' must have tried several numbers of segments, got none that were tried. "
        'Run it with k="auto" [no-result]',
    ),
]

REFUSED = [*READING, *PRINTING, *CHARTS]
