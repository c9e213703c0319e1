"""What a run left as tables on a terminal, as JSON, or as CSV."""

import csv
import datetime
import decimal
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import click
import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from custseg_duck import catalog
from custseg_duck.errors import InputError
from custseg_duck.previewing import Preview
from custseg_duck.tables import exists, fetched

Row = Mapping[str, Any]

N_TRAITS = 3
N_RULES = 10
N_SEGMENT_RULES = 3
N_MOVES = 10
SHOWN = 20  # rows of a table, unless more are asked for
BATCH = 10_000  # rows on their way to a file


class Column(NamedTuple):
    """A column to show: of what it shows, and how."""

    header: str
    show: Callable[[Row], str]
    is_text: bool = False


class Section(NamedTuple):
    """A table to show: sql/display/<statement>.sql with these parameters.

    name : in JSON; needs : a table of custseg, without which there is no such section;
    always : whether it is shown without rows
    """

    name: str
    title: str
    statement: str
    columns: Sequence[Column]
    needs: str
    parameters: Mapping[str, Any] = {}
    always: bool = True


def count(key: str) -> Callable[[Row], str]:
    """Whole numbers; nothing for NULL."""
    return lambda row: "" if row[key] is None else f"{row[key]:,}"


def share(key: str) -> Callable[[Row], str]:
    """Shares in percent."""
    return lambda row: "" if row[key] is None else f"{row[key]:.1%}"


def number(key: str, places: int) -> Callable[[Row], str]:
    """Numbers with as many decimal places."""
    return lambda row: "" if row[key] is None else f"{row[key]:,.{places}f}"


def text(key: str) -> Callable[[Row], str]:
    """Texts as they are: nothing in them is markup."""
    return lambda row: "" if row[key] is None else escape(str(row[key]))


def number_or(key: str, word: str) -> Callable[[Row], str]:
    """Whole numbers; a word for NULL."""
    return lambda row: word if row[key] is None else str(row[key])


def _what_it_is(row: Row) -> str:
    lines = [f"[bold]{escape(row['label'] or '')}[/]"]
    return "\n".join(lines + [escape(trait) for trait in row["traits"] or []])


def _items(items: str, names: str) -> Callable[[Row], str]:
    def show(row: Row) -> str:
        labels = row[names] or [None] * len(row[items])
        return escape(
            ", ".join(
                f"{name.strip()} ({item})" if name else str(item)
                for item, name in zip(row[items], labels, strict=True)
            )
        )

    return show


_BUYS = (
    Column("who buys", _items("antecedents", "antecedent_names"), is_text=True),
    Column("also buys", _items("consequents", "consequent_names"), is_text=True),
)

# What is shown after a run, in this order
RUN = (
    Section(
        "segments",
        "Segments",
        "segments",
        (
            Column("segment", count("segment")),
            Column("customers", count("n_customers")),
            Column("share", share("customer_share")),
            Column("revenue", share("revenue_share")),
            Column("label, and what sets it apart: value (average)", _what_it_is, is_text=True),
        ),
        "segment_summary",
        {"n": N_TRAITS},
    ),
    Section(
        "migration",
        "Who moved, since the run before",
        "migration",
        (
            Column("from", number_or("from_segment", "new")),
            Column("to", number_or("to_segment", "gone")),
            Column("customers", count("n_customers")),
            Column("share of from", share("share")),
        ),
        "segment_history",
        {"n": N_MOVES},
        always=False,
    ),
    Section(
        "drift",
        "What drifted, since the model before was fitted",
        "drift",
        (
            Column("feature", text("feature"), is_text=True),
            Column("stability index", number("psi", 2)),
            Column("drift", text("level")),
        ),
        "feature_drift",
        {"n": N_MOVES},
        always=False,
    ),
    Section(
        "rules",
        "Bought together: rules to act on, by lift",
        "top_rules",
        (
            *_BUYS,
            Column("orders", count("support_count")),
            Column("confidence", share("confidence")),
            Column("lift", number("lift", 1)),
        ),
        "rules",
        {"n": N_RULES},
    ),
    Section(
        "segment_rules",
        "Bought together in a segment, more than elsewhere",
        "top_segment_rules",
        (
            Column("segment", count("segment")),
            *_BUYS,
            Column("confidence", share("confidence")),
            Column("elsewhere", share("rest_confidence")),
            Column("lift", number("lift", 1)),
            Column("elsewhere", number("rest_lift", 1)),
        ),
        "segment_rules",
        {"n": N_SEGMENT_RULES},
        always=False,
    ),
    Section(
        "line_counts",
        "Order lines",
        "line_counts",
        (
            Column("", lambda row: "kept" if row["is_kept"] else "left out", is_text=True),
            Column("reason", text("reason"), is_text=True),
            Column("lines", count("n_lines")),
            Column("amount", number("amount", 2)),
        ),
        "runs",
    ),
)

# What a run would do
PREVIEW = (
    RUN[-1],
    Section(
        "customers",
        "A run would be of",
        "preview_customers",
        (
            Column("customers", count("n_customers")),
            Column("orders", count("n_orders")),
            Column("products", count("n_products")),
            Column("lines", count("n_lines")),
            Column("features", count("n_features")),
            Column("bytes of vectors", count("fit_bytes")),
        ),
        "",
    ),
    Section(
        "features",
        "It would cluster by",
        "preview_features",
        (
            Column("feature", text("feature"), is_text=True),
            Column("department", text("department"), is_text=True),
            Column("taken as", text("transform")),
        ),
        "",
    ),
    Section(
        "itemset_plan",
        "It would mine",
        "preview_itemsets",
        (
            Column("orders", count("n_orders")),
            Column("frequent in", count("min_orders")),
            Column("items", count("n_items")),
            Column("lines of these", count("n_rows")),
            Column("largest order", count("largest_basket")),
            Column("pairs", count("n_pairs")),
            Column("counting", text("method")),
        ),
        "",
    ),
)

MODELS = Section(
    "models",
    "Models",
    "models",
    (
        Column("name", text("name"), is_text=True),
        Column("version", count("version")),
        Column("algorithm", text("algorithm")),
        Column("k", count("k")),
        Column("customers", count("n_customers")),
        Column("silhouette", number("silhouette", 3)),
        Column("created", lambda row: f"{row['created_at']:%Y-%m-%d}"),
    ),
    "models",
)

EXPLANATION = Section(
    "explanation",
    "Customer {customer_id} is in segment {segment} ({label})",
    "explanation",
    (
        Column("why", text("reason"), is_text=True),
        Column("what would change it", text("change"), is_text=True),
    ),
    "customer_features",
)


def rows_of(
    con: duckdb.DuckDBPyConnection, section: Section, parameters: Mapping[str, Any]
) -> list[Row]:
    """The rows of a section; none where its table is not there."""
    if not exists(con, section.needs):
        return []
    wanted = {**section.parameters, **parameters}
    return [*fetched(con.execute(catalog.statement(f"display/{section.statement}"), wanted))]


def as_table(section: Section, rows: Iterable[Row], title: str = "") -> Table:
    """A section as a table for a terminal."""
    table = Table(
        title=title or section.title, title_justify="left", show_lines=section.name == "segments"
    )
    for column in section.columns:
        if column.is_text:
            table.add_column(column.header)
        else:
            table.add_column(column.header, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(column.show(row) for column in section.columns))
    return table


def show(
    con: duckdb.DuckDBPyConnection,
    sections: Sequence[Section],
    parameters: Mapping[str, Any],
    style: str,
    **beside: object,
) -> None:
    """Print sections in a style: as tables; as one JSON object; or the first one as CSV.

    ``beside`` : more to put into the JSON object
    """
    wanted = sections[:1] if style == "csv" else sections
    found = {section.name: rows_of(con, section, parameters) for section in wanted}
    show_rows(wanted, found, style, **beside)


def show_rows(
    sections: Sequence[Section], found: Mapping[str, list[Row]], style: str, **beside: object
) -> None:
    """Print rows that are there already, by the names of their sections; as ``show`` does."""
    if style == "csv":
        print_csv(found[sections[0].name])
    elif style == "json":
        click.echo(json.dumps(plain({**beside, **found}), indent=2, ensure_ascii=False))
    else:
        for section in sections:
            if found[section.name] or section.always:
                Console().print(as_table(section, found[section.name]))


def show_preview(found: Preview, style: str) -> None:
    """Print what a run would do."""
    rows = found._asdict()
    if style == "table":
        click.echo(f"Nothing was written. The source is {rows['source']}", err=True)
    show_rows(PREVIEW, rows, style, source=rows.pop("source"))


def show_explanation(
    con: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any], style: str
) -> None:
    """Print why a customer is in its segment.

    Raises
    ------
    InputError
        If there is no such customer.
    """
    rows = rows_of(con, EXPLANATION, parameters)
    if not rows:
        raise InputError(
            f"customer_id must be of the run {parameters['run_name']!r}, "
            f"got {parameters['customer_id']}"
        )
    if style == "table":
        title = EXPLANATION.title.format(**{**parameters, **rows[0]})
        Console().print(as_table(EXPLANATION, rows, title))
    else:
        show_rows((EXPLANATION,), {"explanation": rows}, style, **parameters)


def show_query(
    con: duckdb.DuckDBPyConnection,
    query: str,
    parameters: Sequence[object],
    style: str,
    limit: int | None,
) -> None:
    """Print what a query gives in a style, row by row: as DuckDB prints it, as JSON or as CSV."""
    if style == "table":
        rows = con.sql(query, params=parameters)
        rows.show(max_rows=SHOWN if limit is None else limit, max_width=Console().width)
        return
    con.execute(query if limit is None else f"{query} limit {limit}", parameters)
    names = [name for name, *_ in con.description or ()]
    batches = iter(lambda: con.fetchmany(BATCH), [])
    if style == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        for batch in batches:
            writer.writerows([_cell(one) for one in row] for row in batch)
        return
    between = "["
    for row in chain.from_iterable(batches):
        line = json.dumps(plain(dict(zip(names, row, strict=True))), ensure_ascii=False)
        click.echo(f"{between}\n  {line}", nl=False)
        between = ","
    click.echo("[]" if between == "[" else "\n]")


def print_csv(rows: Sequence[Row]) -> None:
    """Rows as CSV, the names of their columns first; lists as JSON."""
    if not rows:
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows([_cell(one) for one in row.values()] for row in rows)


def plain(value: object) -> Any:
    """What JSON has: decimals as numbers, and times and what is no finite number as texts."""
    match value:
        case Mapping():
            return {str(key): plain(one) for key, one in value.items()}
        case list() | tuple():
            return [plain(one) for one in value]
        case decimal.Decimal() | float():
            return float(value) if math.isfinite(value) else str(value)
        case datetime.date() | datetime.time():
            return value.isoformat()
        case None | bool() | int() | str():
            return value
    return str(value)


def _cell(value: object) -> str:
    """A value in one cell."""
    if value is None:
        return ""
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(plain(value), ensure_ascii=False)
    return value.isoformat(" ") if isinstance(value, datetime.datetime) else str(value)
