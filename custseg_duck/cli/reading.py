"""show, explain, report and targets: the commands that read what a run left."""

from typing import Any

import click

import custseg_duck
from custseg_duck import catalog
from custseg_duck.cli import display, sections, terminal
from custseg_duck.cli.options import DATABASE, FORMAT, NAME, QUIET, examples
from custseg_duck.reading import run_of
from custseg_duck.tables import exists, query_of_run

MOST_ROWS = 2**31 - 1


@click.command(
    epilog=examples(
        "custseg-duck show",
        "custseg-duck show top_rules --limit 50",
        "custseg-duck show recommendations --format csv > offers.csv",
    )
)
@click.argument(
    "table",
    type=click.Choice(sorted(catalog.TABLES + catalog.VIEWS)),
    required=False,
    metavar="[TABLE]",
)
@DATABASE
@NAME
@click.option(
    "--limit",
    type=click.IntRange(0, MOST_ROWS),
    help=f"Most rows.  [default: {display.SHOWN} as a table, otherwise all]",
)
@FORMAT
def show(table: str | None, database: str, name: str, limit: Any, style: str) -> None:
    """Print TABLE of a run, or without it what the run printed."""
    with terminal.errors(), terminal.opened(database) as con:
        if not exists(con, "runs"):
            raise custseg_duck.InputError(
                f"database must hold a run, got {database} without one: custseg-duck run "
                "makes one [no-run]"
            )
        run_of(con, name)
        if table is None:
            display.show(con, sections.RUN, {"run_name": name}, style, run=name)
            return
        display.show_query(con, *query_of_run(con, table, name), style, limit)


@click.command(epilog=examples("custseg-duck explain 1 -d shop.duckdb"))
@click.argument("customer_id")
@DATABASE
@NAME
@click.option("-n", "n", type=int, default=8, show_default=True, help="Most features to show.")
@FORMAT
def explain(customer_id: str, database: str, name: str, n: int, style: str) -> None:
    """Say why a customer is in its segment, and what would move it to another."""
    with terminal.errors(), terminal.opened(database) as con:
        run_of(con, name)
        display.show_explanation(con, {"customer_id": customer_id, "run_name": name, "n": n}, style)


@click.command(
    epilog=examples(
        'custseg-duck report -d shop.duckdb --to segments.html --title "Our customers in 2024"'
    )
)
@DATABASE
@NAME
@click.option(
    "--to", "path", default="report.html", show_default=True, metavar="FILE", help="Ends in .html."
)
@click.option("--title", help="Heading of the page.")
@QUIET
def report(database: str, name: str, path: str, title: str | None, quiet: bool) -> None:
    """Write what a run found as one page for people: segments, rules, offers, who moved.

    The page is one file that needs no network and no script. Needs the extra: pip install
    'custseg_duck[report]'
    """
    with (
        terminal.errors(),
        terminal.opened(database) as con,
        terminal.busy("drawing", quiet=quiet),
    ):
        custseg_duck.export_report(con, path, name=name, title=title)
    terminal.say(f"Written to {path}", quiet=quiet)


@click.command(
    epilog=examples('custseg-duck targets "high spend, big baskets" 3 --to campaign.csv')
)
@click.argument("segments", nargs=-1)
@DATABASE
@NAME
@click.option("--to", "path", required=True, metavar="FILE", help="Ends in .csv or .parquet.")
@QUIET
def targets(segments: tuple[str, ...], database: str, name: str, path: str, quiet: bool) -> None:
    """Write the customers of SEGMENTS, labels or numbers, with their features to a file."""
    with (
        terminal.errors(),
        terminal.opened(database) as con,
        terminal.busy("writing", quiet=quiet),
    ):
        n_rows = custseg_duck.export_targets(con, path, segments=segments or None, name=name)
    terminal.say(f"{n_rows:,} customers written to {path}", quiet=quiet)
