"""What a run left as tables on a terminal, as JSON, or as CSV."""

import csv
import datetime
import decimal
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import click
import duckdb
from rich.console import Console
from rich.table import Table

from custseg_duck import catalog
from custseg_duck.cli.sections import EXPLANATION, PREVIEW, Row, Section
from custseg_duck.errors import InputError
from custseg_duck.previewing import Preview
from custseg_duck.tables import exists, fetched

SHOWN = 20  # rows of a table, unless more are asked for
BATCH = 10_000  # rows on their way to a file


def rows_of(
    con: duckdb.DuckDBPyConnection, section: Section, parameters: Mapping[str, Any]
) -> list[Row]:
    """The rows of a section; none where its table is not there."""
    if not exists(con, section.needs):
        return []
    wanted = {**section.parameters, **parameters}
    return [*fetched(con.execute(catalog.statement(section.statement), wanted))]


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
            f"got {parameters['customer_id']} [no-customer]"
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
