"""doctor: the command that says whether all is in order."""

import sys

import click

from custseg_duck import doctor as examining
from custseg_duck.cli import display, terminal
from custseg_duck.cli.options import FORMAT

MARKS = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "wrong": "[red]wrong[/]"}
FINDINGS = display.Section(
    "findings",
    "",
    "",
    (
        display.Column("", lambda row: MARKS[row["status"]], is_text=True),
        display.Column("what", display.text("what"), is_text=True),
        display.Column("found", display.text("found"), is_text=True),
        display.Column("to do", display.text("advice"), is_text=True),
    ),
    "",
)


@click.command()
@click.option("--database", "-d", metavar="FILE", help="A database to check too; only read.")
@FORMAT
def doctor(database: str | None, style: str) -> None:
    """Check the versions installed here and, if given, a database: macros, runs, models, views.

    The exit code is 1 if anything is wrong.

    \b
    Example:
      custseg-duck doctor -d shop.duckdb
    """  # noqa: D301
    with terminal.errors():
        findings = examining.examine(database)
    rows: list[display.Row] = [finding._asdict() for finding in findings]
    display.show_rows((FINDINGS,), {"findings": rows}, style)
    if any(finding.status == "wrong" for finding in findings):
        sys.exit(1)
