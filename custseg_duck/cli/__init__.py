"""The command custseg-duck. Needs the extra: pip install 'custseg_duck[cli]'."""

import logging
import sys

import custseg_duck

try:
    import click

    from custseg_duck.cli import checking, making, printing, reading, storing
    from custseg_duck.cli.options import examples
except ModuleNotFoundError as error:  # pragma: no cover
    if (error.name or "").partition(".")[0] not in ("click", "rich"):
        raise
    sys.exit(f"custseg-duck needs {error.name}: pip install 'custseg_duck[cli]'")

EXIT_CODES = """

Exit codes: 0 done; 1 refused or failed, and the database is as it was; 2 wrong usage;
130 interrupted, and the database is as it was.
"""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "custseg-duck demo                                a real shop, to look around in",
        "custseg-duck run orders.parquet -d shop.duckdb   segment your own",
        "custseg-duck show top_rules -d shop.duckdb       what was found, as table, JSON or CSV",
        "custseg-duck report -d shop.duckdb               what was found, as a page to hand on",
    )
    + EXIT_CODES,
)
@click.version_option(custseg_duck.__version__, prog_name="custseg-duck")
@click.option("-v", "--verbose", is_flag=True, help="Show every SQL statement.")
def main(verbose: bool) -> None:
    """Customer segmentation inside DuckDB."""
    if verbose:
        logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, format="%(message)s")


for command in (
    making.run,
    making.refresh,
    making.demo,
    reading.show,
    reading.explain,
    reading.report,
    reading.targets,
    storing.models,
    storing.export,
    printing.sql,
    printing.completion,
    checking.doctor,
):
    main.add_command(command)
