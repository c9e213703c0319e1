"""What is wrong with the options of run and refresh, and with where they are to work."""

import contextlib

import duckdb
import pyarrow as pa

import custseg_duck
from custseg_duck import __version__
from tests.conftest import QUICK
from tests.error_texts.calls import Refused, refresh, run

COMMIT_FIRST = "got an open one. Commit or roll back first [transaction]"
OF_TEXT = pa.table({"customer_id": ["a"], "order_id": [1], "product_id": [1]})


def load_in_a_transaction(_: object) -> None:
    with duckdb.connect() as con:
        con.execute("begin")
        custseg_duck.load(con)


def load_in_a_transaction_that_has_failed(_: object) -> None:
    with custseg_duck.connect() as con:
        con.execute("begin")
        with contextlib.suppress(duckdb.Error):
            con.execute("select error('no')")
        custseg_duck.load(con)


def load_beside_a_database_called_custseg(_: object) -> None:
    with duckdb.connect() as con:
        con.execute("attach ':memory:' as custseg")
        custseg_duck.load(con)


def run_where_nothing_can_be_written(_: object) -> None:
    with custseg_duck.connect("empty.duckdb", read_only=True) as con:
        custseg_duck.run(OF_TEXT, con=con)


def unload_where_nothing_can_be_written(_: object) -> None:
    with custseg_duck.connect("empty.duckdb", read_only=True) as con:
        custseg_duck.unload(con)


OPTIONS = [
    Refused(run(**options), text)
    for options, text in (
        ({"name": ""}, "name must be a text, got '' [option]"),
        (
            {"algorithm": "dbscan"},
            "algorithm must be one of kmeans, gmm, got 'dbscan' [option]",
        ),
        (
            {"covariance_type": "round"},
            "covariance_type must be one of full, tied, diag, spherical, got 'round' [option]",
        ),
        ({"k": 0}, "k must be an int in the range [1, inf), got 0 [option]"),
        ({"seed": -1}, "seed must be an int in the range [0, inf), got -1 [option]"),
        ({"include": "spend"}, "include must be a list, got 'spend' [option]"),
        (
            {"weights": ["spend"]},
            "weights must be a mapping of columns' names, got ['spend'] [option]",
        ),
        ({"min_support": 0}, "min_support must be in (0, 1], got 0 [option]"),
        (
            {"min_support": 0.1, "min_count": 2},
            "give min_support or min_count, not both, got 0.1 and 2 [option]",
        ),
        ({"max_length": 0}, "max_length must be an int in the range [1, inf), got 0 [option]"),
        ({"on_limit": "stop"}, "on_limit must be one of error, truncate, got 'stop' [option]"),
        (
            {"item": "sku"},
            "item must be one of product_id, category, department, product_name, got 'sku' "
            "[option]",
        ),
        ({"min_confidence": 2}, "min_confidence must be in [0, 1], got 2 [option]"),
        ({"decision_rules": 1}, "decision_rules must be a bool, got 1 [option]"),
        (
            {"k": 61},
            "k must be between 1 and 51 (the distinct rows), got 61; there are 60 customers "
            "[option]",
        ),
        (
            {"max_fit_bytes": 100},
            "max_fit_bytes must be at least 3840 to cluster 60 customers by 8 features, got 100. "
            "Raise it, take fewer features (include=...), or fewer customers (since=...) [limit]",
        ),
    )
]

SOURCES = [
    Refused(run(None), "run must have a source of order lines or features, got neither [option]"),
    Refused(
        ("run", "-d", "shop.duckdb", "--dry-run", "-q"),
        "run must have a source of order lines or features, got neither [option]",
    ),
    Refused(
        run(OF_TEXT, name="other", k=1, **QUICK),
        "a run must have the same types as the runs beside it in "
        'custseg."customer_features", got customer_id BIGINT against VARCHAR. Cast the ids in the '
        "source, or keep this run in a database of its own [run-types]",
    ),
]

REFRESHES = [
    Refused(
        refresh(name="weekly"),
        "name must be that of an earlier run (default, tiny), got 'weekly'. custseg_duck.run makes "
        "the first one [no-run]",
    ),
    Refused(refresh(fit="cold"), "fit must be one of warm, matched, frozen, got 'cold' [option]"),
    Refused(
        refresh(colour="red"),
        "changes must be options of run (algorithm, as_of, covariance_type, decision_rules, "
        "duplicates, empty_lines, exclude, exclude_items, include, item, k, max_antecedents, "
        "max_candidates, max_consequents, max_fit_bytes, max_length, max_pairs, min_confidence, "
        "min_count, min_support, n_recommendations, name, on_limit, returns, seed, segment_rules, "
        "since, time_zone, transforms, weights), got colour [option]",
    ),
    Refused(
        refresh(k=4),
        "the model's own options can only change under fit='matched', got k with fit='warm' "
        "[option]",
    ),
    Refused(
        refresh(name="tiny"),
        "source must be given, because the run before read what has no name of its own, got none. "
        "It was pyarrow.lib.Table [option]",
    ),
]

TRANSACTIONS = [
    Refused(
        load_in_a_transaction_that_has_failed,
        "con must be outside a transaction that has failed, got one in it. Roll back first "
        "[transaction]",
    ),
    Refused(
        run(),
        f"run must be called outside a transaction, because it is one itself, {COMMIT_FIRST}",
        given="begin",
    ),
    Refused(
        lambda con: custseg_duck.export(con, "new.duckdb"),
        f"export must be called outside a transaction, because it is one itself, {COMMIT_FIRST}",
        given="begin",
    ),
    Refused(
        custseg_duck.unload,
        f"unload must be called outside a transaction, because it is one itself, {COMMIT_FIRST}",
        given="begin",
    ),
    Refused(
        custseg_duck.self_check,
        "self_check must be called outside a transaction, because what is not committed it would "
        f"not see, {COMMIT_FIRST}",
        given="begin",
    ),
    Refused(
        load_in_a_transaction,
        f"load must be called outside a transaction the first time, {COMMIT_FIRST}",
    ),
]

DATABASES = [
    Refused(
        load_beside_a_database_called_custseg,
        "no database may be called custseg, because custseg.rfm would then mean two things, got "
        "custseg, memory, system, temp. Rename the file, or attach it under another name "
        "[database-name]",
    ),
    Refused(
        lambda _: custseg_duck.connect("plain.duckdb", read_only=True),
        f"the database must hold the macros of custseg_duck {__version__} or be writable, got a "
        "read-only one with none. Open it for writing once; or work in memory and attach it: "
        "attach 'shop.duckdb' (read_only), after which its tables are 'shop.main.order_lines' "
        "[not-loaded]",
    ),
    Refused(
        run_where_nothing_can_be_written,
        "run must be able to write to the current database, got a read-only one [read-only]",
    ),
    Refused(
        unload_where_nothing_can_be_written,
        "unload must be able to write to the current database, got a read-only one [read-only]",
    ),
    Refused(
        lambda _: custseg_duck.connect("lines.csv"),
        "path must be a DuckDB database, got the data file lines.csv [cannot-open]",
    ),
    Refused(
        lambda _: custseg_duck.connect("notes.duckdb"),
        'cannot open notes.duckdb: The file "FOLDER/notes.duckdb" exists, but it is not a valid '
        "DuckDB database file! [cannot-open]",
    ),
    Refused(
        ("run", "lines.csv", "-d", "notes.duckdb", "--dry-run", "-q"),
        'cannot open notes.duckdb: The file "FOLDER/notes.duckdb" exists, but it is not a valid '
        "DuckDB database file! [cannot-open]",
    ),
]

REFUSED = [*OPTIONS, *SOURCES, *REFRESHES, *TRANSACTIONS, *DATABASES]
