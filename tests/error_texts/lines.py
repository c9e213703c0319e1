"""What is wrong with order lines, and with where they are."""

import datetime
from pathlib import Path

import pyarrow as pa

from tests.error_texts.calls import Refused, run

LINES = pa.table({"customer_id": [1], "order_id": [1], "product_id": [1]})
NAMES = pa.table({"product_id": [1], "product_name": ["tea"]})


def with_column(name: str, value: str) -> str:
    """The lines with one value in a column, as the view changed."""
    return (
        f"create temp view changed as from (select {value} as {name}) "
        f"cross join (select columns(c -> c <> '{name}') from order_lines)"
    ).replace("c -> c", "lambda c: c")


VALUES = [
    Refused(
        "from custseg.order_lines('changed')",
        "amount must be a number below 10^14 like 12.50, got '12,50' (VARCHAR) [value]",
        given=with_column("amount", "'12,50'"),
    ),
    Refused(
        "from custseg.order_lines('changed')",
        "ordered_at must be a timestamp like 2024-03-31 18:05:00, got '31.12.2024' (VARCHAR) "
        "[value]",
        given=with_column("ordered_at", "'31.12.2024'"),
    ),
    Refused(
        "from custseg.order_lines('changed')",
        "ordered_at must be a timestamp like 2024-03-31 18:05:00, got 'infinity' (TIMESTAMP) "
        "[value]",
        given=with_column("ordered_at", "timestamp 'infinity'"),
    ),
    Refused(
        "from custseg.order_lines('changed')",
        "order_number must be a whole number, got 'first' (VARCHAR) [value]",
        given=with_column("order_number", "'first'"),
    ),
    Refused(
        "from custseg.order_lines('changed')",
        "is_return must be true or false, got 'maybe' (VARCHAR) [value]",
        given=with_column("is_return", "'maybe'"),
    ),
    Refused(
        "from custseg.frequent_itemsets('changed')",
        "is_return must be true or false, got 'maybe' (VARCHAR) [value]",
        given=with_column("is_return", "'maybe'"),
    ),
    Refused(
        run(since="yesterday"),
        "since must be a timestamp like 2024-03-31 18:05:00, got 'yesterday' (VARCHAR) [value]",
    ),
]

OPTIONS = [
    Refused(
        "from custseg.order_lines('order_lines', returns := 'keep')",
        "returns must be 'net' or 'drop', got keep [option]",
    ),
    Refused(
        "from custseg.order_lines('order_lines', duplicates := 'net')",
        "duplicates must be 'keep' or 'drop', got net [option]",
    ),
    Refused(
        "from custseg.order_lines('order_lines', empty_lines := 'net')",
        "empty_lines must be 'keep' or 'drop', got net [option]",
    ),
    Refused(
        "select custseg.to_timestamp('2024-01-01 09:00:00Z', 'ordered_at', null)",
        "calendar must be gregorian to tell the time in a zone, got buddhist [option]",
        given="set calendar = 'buddhist'",
    ),
    Refused(
        run(time_zone="Atlantis"), "time_zone must be one that is known, got 'Atlantis' [option]"
    ),
    Refused(
        run(as_of=datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC), time_zone="Atlantis"),
        "time_zone must be one that is known, got 'Atlantis' [option]",
    ),
    Refused(
        run(as_of="2020-01-01"),
        "source must have at least one line with a purchase, got none (at or after as_of: 900) "
        "[no-rows]",
    ),
    Refused(
        run(LINES.slice(0, 0)),
        "source must have at least one line with a purchase, got none (it is empty) [no-rows]",
    ),
]

PLACES = [
    Refused(
        run("order_line"),
        "source must be a table or view that exists, got 'order_line'; there are features, "
        "itemsets, models, order_lines, refusing, segments, segments_twice, vectors [no-source]",
    ),
    Refused(
        run({"lines": "order_line"}),
        "table 'lines' of the source: source must be a table or view that exists, got "
        "'order_line'; there are features, itemsets, models, order_lines, refusing, segments, "
        "segments_twice, vectors [no-source]",
    ),
    Refused(
        run(7),
        "source must be the name of a table or view, a Parquet or CSV path, or an Arrow, pandas or "
        "Polars table, got int [no-source]",
    ),
    Refused(
        run("nowhere.csv"),
        "source must be readable, got nowhere.csv: No files found that match the pattern "
        '"nowhere.csv" [no-source]',
    ),
    Refused(
        run(Path("orders.xlsx")),
        "source must be a Parquet or CSV file, got orders.xlsx [no-source]",
    ),
    Refused(
        run("nothing_in_it"),
        "source must be a folder with Parquet or CSV files, got nothing_in_it [no-source]",
    ),
    Refused(
        run("twins"),
        "source must have one file of each name, got lines.csv and lines.parquet in twins "
        "[ambiguous-table]",
    ),
    Refused(run({}), "source must have at least one table, got an empty mapping [option]"),
    Refused(run({7: LINES}), "source must map names of tables to tables, got the name 7 [option]"),
]

LAYOUTS = [
    Refused(
        run(columns={"household": "customer_id"}),
        "columns must map names among customer_id, order_id, product_id, ordered_at, quantity, "
        "amount, department, category, product_name, order_number, days_since_prior_order, "
        "discount, is_return, got household [option]",
    ),
    Refused(
        run(LINES, columns={"customer_id": "household"}),
        "columns must map to columns of pyarrow.lib.Table, got household; there are customer_id, "
        "order_id, product_id [missing-column]",
    ),
    Refused(
        run({"lines": LINES, "names": NAMES}, columns={"customer_id": "household"}),
        "columns must map to columns of the source's tables, got household; there are lines "
        "(customer_id, order_id, product_id); names (product_id, product_name) [missing-column]",
    ),
    Refused(
        run(LINES.drop_columns(["order_id", "product_id"])),
        "pyarrow.lib.Table must have the columns order_id, product_id, got customer_id. Columns of "
        "other names can be mapped: columns={'order_id': 'your_column'} (--map "
        "order_id=your_column) [missing-column]",
    ),
    Refused(
        run(pa.table({"customer_id": [1], "order_id": [1], "sku": [1], "stock_code": [1]})),
        "product_id must be one column of pyarrow.lib.Table, got 2 that may be it: sku, "
        "stock_code. Say which: columns={'product_id': 'sku'} (--map product_id=sku) "
        "[ambiguous-column]",
    ),
    Refused(
        run({"names": NAMES, "shops": pa.table({"shop": [1]})}),
        "source must have a table of order lines, with product_id and with order_id or "
        "customer_id, got names (product_id, product_name); shops (shop). Columns of other names "
        "can be mapped: columns={'product_id': 'your_column'} (--map product_id=your_column) "
        "[missing-column]",
    ),
    Refused(
        run({"lines": LINES, "old": LINES}),
        "source must have one table of order lines, got 2 that may be it: lines (customer_id, "
        "order_id, product_id); old (customer_id, order_id, product_id). Pass only the tables that "
        "are meant, and parts of one table as one: 'folder/*.parquet' [ambiguous-table]",
    ),
    Refused(
        run({"lines": LINES, "names": NAMES, "old": NAMES}),
        "source must have one table of products, got 2 that may be it: names (product_id, "
        "product_name); old (product_id, product_name). Pass only the tables that are meant "
        "[ambiguous-table]",
    ),
    Refused(
        run({"lines": LINES, "names": pa.table({"product_id": ["1"], "product_name": ["tea"]})}),
        "names.product_id must be of the type of lines.product_id to be joined on it, got VARCHAR "
        "against BIGINT [join]",
    ),
    Refused(
        run({"lines": LINES, "names": pa.concat_tables([NAMES, NAMES])}),
        "names must have each product_id once to be joined on it, got 1 of them more than once, "
        "such as 1 [join]",
    ),
]

REFUSED = [*VALUES, *OPTIONS, *PLACES, *LAYOUTS]
