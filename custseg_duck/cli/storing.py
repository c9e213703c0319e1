"""models and export: what goes from one database to another."""

import click

import custseg_duck
from custseg_duck.cli import display, sections, terminal
from custseg_duck.cli.options import DATABASE, FORMAT, NAME, QUIET, examples
from custseg_duck.exporting import STORAGE_VERSION


@click.group()
def models() -> None:
    """List, export, import or drop stored models."""


@models.command("list")
@DATABASE
@FORMAT
def list_models(database: str, style: str) -> None:
    """List the stored models, with what is known of how they were made."""
    with terminal.errors(), terminal.opened(database) as con:
        display.show(con, (sections.MODELS,), {}, style)


@models.command("export")
@click.argument("path", metavar="FILE")
@DATABASE
@NAME
@click.option("--version", type=int, help="By default the latest.")
@QUIET
def export_model(path: str, database: str, name: str, version: int | None, quiet: bool) -> None:
    """Write a model to FILE, which ends in .parquet or .json."""
    with terminal.errors(), terminal.opened(database) as con:
        custseg_duck.export_model(con, path, name=name, version=version)
    terminal.say(f"Written to {path}", quiet=quiet)


@models.command("import")
@click.argument("path", metavar="FILE")
@DATABASE
@click.option("--name", help="To store it under; by default the one that it had.")
@QUIET
def import_model(path: str, database: str, name: str | None, quiet: bool) -> None:
    """Read a model from FILE, and refuse it if it was changed or damaged."""
    with terminal.errors(), terminal.connected(database) as con:
        stored, version = custseg_duck.import_model(con, path, name=name)
    terminal.say(f"Stored as {stored} version {version}", quiet=quiet)


@models.command("drop")
@click.argument("name")
@DATABASE
@click.option("--version", type=int, help="By default all of them.")
@QUIET
def drop_model(name: str, database: str, version: int | None, quiet: bool) -> None:
    """Delete a model, or one version of it; segments made with it stay."""
    with terminal.errors(), terminal.opened(database) as con:
        n_dropped = custseg_duck.drop_model(con, name=name, version=version)
    terminal.say(f"{n_dropped} dropped", quiet=quiet)


@click.command(
    epilog=examples("custseg-duck export for_the_team.duckdb -d shop.duckdb --table order_lines")
)
@click.argument("path", metavar="FILE")
@DATABASE
@click.option(
    "--table",
    "tables",
    multiple=True,
    metavar="TABLE",
    help="A table or view of yours to copy too, such as the order lines; repeatable.",
)
@click.option(
    "--storage-version",
    default=STORAGE_VERSION,
    show_default=True,
    metavar="VERSION",
    help="The oldest DuckDB that is to open FILE.",
)
@click.option("--overwrite", is_flag=True, help="Replace FILE if it is there.")
@QUIET
def export(
    path: str,
    database: str,
    tables: tuple[str, ...],
    storage_version: str,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Write the results and the macros to FILE, a new database that older clients open.

    It needs no Python: segments are read, new customers scored and itemsets mined in any client.
    """
    with (
        terminal.errors(),
        terminal.opened(database) as con,
        terminal.busy("copying", quiet=quiet),
    ):
        custseg_duck.export(
            con, path, storage_version=storage_version, tables=tables, overwrite=overwrite
        )
    terminal.say(f"Written to {path}", quiet=quiet)
