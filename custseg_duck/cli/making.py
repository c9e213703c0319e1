"""run, refresh and demo: the commands that write a run."""

from collections.abc import Callable
from typing import Any

import click
import duckdb

import custseg_duck
from custseg_duck.cli import display, sections, terminal
from custseg_duck.cli.options import DATABASE, FORMAT, NAME, QUIET, RUN, added, as_python, examples
from custseg_duck.previewing import preview
from custseg_duck.result import RunResult

Work = Callable[[duckdb.DuckDBPyConnection, Any], RunResult]


@click.command(
    epilog=examples(
        "custseg-duck run orders.parquet -d shop.duckdb --map customer_id=household_id",
        "custseg-duck run order_lines -d shop.duckdb -k auto --min-support 0.001",
        "custseg-duck run instacart/ -d shop.duckdb --dry-run",
        "custseg-duck run order_lines -d shop.duckdb --format json | jq .segments",
    )
)
@click.argument("source", required=False)
@click.option(
    "--database", "-d", required=True, metavar="FILE", help="DuckDB file to write to; made if new."
)
@NAME
@added(RUN)
@click.option(
    "--dry-run", is_flag=True, help="Say what would be read, counted and clustered; write nothing."
)
@FORMAT
@QUIET
def run(
    source: str | None, database: str, dry_run: bool, style: str, quiet: bool, **options: Any
) -> None:
    """Segment the customers of SOURCE, order lines in a table of the database or in a file.

    SOURCE is a Parquet or CSV file, or a folder of them (orders, products, ...), or a table.
    """
    taken = as_python(options)
    if dry_run:
        _preview(source, database, style, quiet, taken)
        return
    _make(
        database,
        style,
        quiet,
        lambda con, progress: custseg_duck.run(source, con=con, progress=progress, **taken),
    )


@click.command(epilog=examples("custseg-duck refresh -d shop.duckdb --as-of 2024-07-01"))
@click.argument("source", required=False)
@DATABASE
@NAME
@click.option(
    "--fit",
    type=click.Choice(["warm", "matched", "frozen"]),
    default="warm",
    show_default=True,
    help="Go on from the model; fit anew and match; or keep the model and only assign.",
)
@click.option("--since", metavar="TIME", help="Only lines from then on.")
@click.option("--as-of", metavar="TIME", help="Only lines before then.")
@FORMAT
@QUIET
def refresh(
    source: str | None,
    database: str,
    name: str,
    fit: Any,
    style: str,
    quiet: bool,
    **given: Any,
) -> None:
    """Run again what was run before, on what the shop holds now: segments keep their numbers.

    Reads the same SOURCE with the same options, unless others are given. If nothing has changed,
    nothing is done.
    """
    changes = {option: value for option, value in given.items() if value is not None}
    _make(
        database,
        style,
        quiet,
        lambda con, progress: custseg_duck.refresh(
            source, con=con, name=name, fit=fit, progress=progress, **changes
        ),
        terminal.opened,
    )


@click.command(epilog=examples("custseg-duck demo -d shop.duckdb"))
@DATABASE
@QUIET
def demo(database: str, quiet: bool) -> None:
    """Segment a real shop: the Complete Journey, 1.47 million order lines of 2,469 households."""
    from custseg_duck import demo as complete_journey

    with terminal.errors(), terminal.connected(database) as con:
        complete_journey.make_order_lines(con)
    _make(
        database,
        "table",
        quiet,
        lambda con, progress: custseg_duck.run(
            "order_lines", con=con, progress=progress, **complete_journey.OPTIONS
        ),
    )
    if not quiet:
        click.echo(complete_journey.QUERIES.format(database=database))


def _make(
    database: str,
    style: str,
    quiet: bool,
    work: Work,
    connect: Callable[[str], duckdb.DuckDBPyConnection] = terminal.connected,
) -> None:
    """Work with a progress bar, then print what came of it."""
    with terminal.errors(), connect(database) as con:
        with terminal.notes(quiet), terminal.progress_bar(quiet) as progress:
            result = work(con, progress)
        if quiet:
            return
        if result.is_unchanged:
            click.echo("Nothing has changed since the last run", err=True)
        display.show(
            con,
            sections.RUN,
            {"run_name": result.name},
            style,
            run=result.name,
            is_unchanged=result.is_unchanged,
        )


def _preview(
    source: str | None, database: str, style: str, quiet: bool, options: dict[str, Any]
) -> None:
    with terminal.errors():
        with terminal.notes(quiet), terminal.progress_bar(quiet) as progress:
            found = preview(source, database=database, progress=progress, **options)
        if not quiet:
            display.show_preview(found, style)
