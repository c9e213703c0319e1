"""doctor: the command that says whether all is in order."""

import sys

import click

from custseg_duck import doctor as examining
from custseg_duck.cli import display, sections, terminal
from custseg_duck.cli.options import FORMAT, examples

MARKS = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "wrong": "[red]wrong[/]"}
FINDINGS = sections.Section(
    "findings",
    "",
    "",
    (
        sections.Column("", lambda row: MARKS[row["status"]], is_text=True),
        sections.Column("what", sections.text("what"), is_text=True),
        sections.Column("found", sections.text("found"), is_text=True),
        sections.Column("to do", sections.text("advice"), is_text=True),
    ),
    "",
)


@click.command(
    epilog=examples(
        "custseg-duck doctor -d shop.duckdb", "custseg-duck doctor --deep -d shop.duckdb"
    )
)
@click.option("--database", "-d", metavar="FILE", help="A database to check too; only read.")
@click.option(
    "--deep",
    is_flag=True,
    help="Also compute a shop with known answers, and compare what each run left: its customers "
    "are scored again, its itemsets and rules compared.",
)
@FORMAT
def doctor(database: str | None, deep: bool, style: str) -> None:
    """Check the versions installed here and, if given, a database: macros, runs, models, views.

    The exit code is 1 if anything is wrong.
    """
    with terminal.errors():
        findings = examining.examine(database, deep=deep)
    rows: list[sections.Row] = [finding._asdict() for finding in findings]
    display.show_rows((FINDINGS,), {"findings": rows}, style)
    if any(finding.status == "wrong" for finding in findings):
        sys.exit(1)
