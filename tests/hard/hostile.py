"""Names that try to be more than names, made of pieces."""

# ruff: noqa: E501, RUF001 (letters that look like others are what this is about)

import random
from collections.abc import Iterator

from custseg_duck import pipeline, publishing
from tests.test_hazards import ALL_NAMES

# Each is a name by itself, and may be a part of one
PIECES = (
    '"', "'", "''", '""', "`", "\\", ";", "--", "/*", "*/", "$$", "(", ")", "[", "]", ",", ".", "..",
    '"; drop table x; --', "'; drop table x; --", "'); select * from read_csv('/etc/passwd'",
    '"); attach \'stolen.duckdb\'; --', "x\"; copy canary to 'stolen.csv'; --",
    "read_csv('canary.csv')", "read_parquet('canary.parquet')", "read_text('/etc/passwd')",
    "query('from canary')", "query_table('canary')", "(from canary)", "select * from canary",
    "canary", "canary.csv", "canary.parquet", "canary.json", "'canary.csv'", "sub/canary.csv",
    "*.csv", "**/*.parquet", "canary.*", "./canary.csv", "../", "/etc/passwd", "/dev/stdin", "~",
    "https://example.invalid/x.csv", "s3://bucket/x.parquet", "file:canary.csv", "http://",
    "canary_frame", "CANARY_TABLE", "other.main.order_lines", "other.custseg.segments", "other",
    "shop.main.canary", "memory.main.x", "temp.main.x", "main", "custseg", "custseg.segments",
    "information_schema.tables", "duckdb_tables()", "sqlite_master", "pragma_version",
    "custseg_run_lines", "custseg_run_source", "custseg_run_features", "custseg_run_model",
    "custseg_run_object_0", "custseg_source_lines", "custseg_run_segments", "custseg_rfm", "rfm",
    "require", "kmeans_fit", "custseg_kmeans", "version", "score", "assign", "to_text",
    "select", "from", "table", "where", "null", "NaN", "true", "default", "order", "group", "values",
    "columns(*)", "*", "exclude", "struct_pack", "row", "list_value", "department_share", "x",
    "{}", "{0}", "{name}", "{!r}", "%s", "%(name)s", "%", "$name", "$1", "${HOME}", "?", ":name",
    "lambda x: x", "getenv('HOME')", "current_setting('x')", "@", "#", "&amp;", "<", ">", "&",
    "<script>alert(1)</script>", "</title>", "<img src=x onerror=alert(1)>", "javascript:alert(1)",
    "[/x]", "[bold]", "[red]tea[/red]", "\\[", "|", "=1+1", "+1", "-1", "@SUM(A1)", "\t=1",
    "\n", "\r\n", "\t", "\x0b", "\x1b[31m", "\x07", "\x7f", "\0", "a\0b", " ", "  x  ", "\u00a0",
    "naïve", "Ä", "ä", "É", "é", "e\u0301", "İ", "ı", "ß", "ẞ", "ſ", "K", "Σ", "ς", "ﬁ", "Å",
    "😀", "👩‍👩‍👧", "\u202eabc", "שלום", "مرحبا", "日本語", "\u200b", "\u200d", "\ufeff", "\u2028",
    "ORDER_LINES", "Order_Lines", "order_lines ", " order_lines", "order_lines.", "order_lines;",
    "run_name", "segment", "customer_id", "cluster", "label", "feature", "amount", "tea", "plain word",
    "01", "1e3", "-0", "0x1F", "2024-01-01", "CON", "a/b", "a\\b", "a:b", "a=b", "a=b=c", "--help",
)  # fmt: skip
LONG = ("n" * 10_000, '"' * 1_000, "'); drop table x; --" * 200, "é" * 5_000, "a.b" * 1_000)

# Temporary tables and views of a run, by the names that they have in DuckDB
OURS = sorted(
    f"custseg_run_{step}" for step in {*pipeline.STEPS, *publishing.RECORD} | {"source", "model"}
)
CAPTURING = (*ALL_NAMES, *OURS)  # what a table of this name could be taken for


def names(n: int, seed: int) -> Iterator[str]:
    """``n`` different ones: first those of pieces alone, then of several, in a random order."""
    draw = random.Random(seed)
    found = list(dict.fromkeys(["", *PIECES, *LONG]))
    draw.shuffle(found)
    while len(found) < n:
        parts = draw.choices(PIECES, k=draw.randint(2, 4))
        made = draw.choice(["", "", " ", "_", "\n"]).join(parts)
        if made not in found:
            found.append(made)
    yield from found[:n]
