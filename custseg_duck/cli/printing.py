"""sql and completion: the commands that print text for other programs."""

from typing import Any

import click
from click.shell_completion import get_completion_class

from custseg_duck import mining, scripts
from custseg_duck.cli import terminal
from custseg_duck.cli.options import ITEM, MAP, MINING, added, as_python, examples
from custseg_duck.documentation import Header

MACROS = click.option(
    "--macros/--no-macros",
    "with_macros",
    default=True,
    show_default=True,
    help="Begin with the macros that it needs; not needed where a run has left them.",
)
INTO = click.option("--into", metavar="TABLE", help="Make a table of it, or replace one.")


class _Steps(click.Group):
    """One command for each macro, made of the header of its file."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Those whose SQL is all that they need."""
        plain = (name for name in scripts.steps() if not scripts.needs_python(name))
        return sorted([*plain, *super().list_commands(ctx)])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Also of those that cannot be printed, so that they can say why."""
        own = super().get_command(ctx, name)
        if own is not None or name not in scripts.steps():
            return own
        return _command(name, scripts.steps()[name].header)


def _command(name: str, header: Header) -> click.Command:
    def print_it(with_macros: bool, **given: Any) -> None:
        into, columns = given.pop("into", None), dict(given.pop("mappings", ()))
        with terminal.errors():
            click.echo(
                scripts.script(name, given, columns=columns, into=into, with_macros=with_macros),
                nl=False,
                color=True,  # as it is: without, escape sequences in names would be left out
            )

    parameters: list[click.Parameter] = []
    if header.is_table:
        parameters += [click.Argument([one]) for one in header.required]
        parameters += [
            click.Option([f"--{one.replace('_', '-')}", one], metavar="VALUE", help=f"[{default}]")
            for one, default in header.optional.items()
        ]
    command = click.Command(
        name,
        params=parameters,
        callback=print_it,
        help=_help(header),
        short_help=header.summary,
    )
    decorated: click.Command = MACROS(command)
    if header.is_table:
        decorated = INTO(MAP(decorated))
    return decorated


def _help(header: Header) -> str:
    """What the file's header says."""
    marked = (("Takes", header.takes), ("Gives", header.gives), ("Source", header.source))
    return "\n\n".join([header.summary, *(f"{mark}: {said}" for mark, said in marked if said)])


@click.group(
    cls=_Steps,
    epilog=examples(
        "custseg-duck sql rfm orders.parquet --n-bins 4 | duckdb",
        "custseg-duck sql customer_features order_lines --into features | duckdb shop.duckdb",
        "custseg-duck sql itemsets order_lines --min-support 0.001 | duckdb shop.duckdb",
    ),
)
def sql() -> None:
    """Print the SQL of a step, to run in any DuckDB client.

    A relation is a table's name, or a Parquet or CSV file. A list is written
    "['a', 'b']", and NULL null.
    """


@sql.command(
    epilog=examples(
        "custseg-duck sql itemsets order_lines --min-support 0.001 | duckdb shop.duckdb"
    )
)
@click.argument("source")
@click.option("--into", default="itemsets", show_default=True, help="Table to make or replace.")
@added(MINING)
@ITEM
@MACROS
def itemsets(source: str, into: str, with_macros: bool, **options: Any) -> None:
    """Print frequent_itemsets as a sequence of statements: the same rows, quicker on large data.

    SOURCE is a table or a file with order_id and the items.
    """
    with terminal.errors():
        text = mining.script(source, into=into, **as_python(options))
        click.echo(scripts.standalone(text) if with_macros else text, nl=False, color=True)


@click.command(
    epilog=examples(
        "custseg-duck completion bash >> ~/.bashrc",
        "custseg-duck completion zsh >> ~/.zshrc",
        "custseg-duck completion fish > ~/.config/fish/completions/custseg-duck.fish",
    )
)
@click.argument("shell", type=click.Choice(["bash", "fish", "zsh"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes SHELL complete the commands, options and steps."""
    found = get_completion_class(shell)
    if found is None or ctx.parent is None:
        return
    program = found(ctx.parent.command, {}, "custseg-duck", "_CUSTSEG_DUCK_COMPLETE")
    click.echo(program.source())
