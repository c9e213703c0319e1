"""Writes reference.md out of what the SQL files, the docstrings and the command say of themselves.

Run ``make docs``; a test fails if reference.md is not what this makes.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path

import click
import duckdb
from click.testing import CliRunner

import custseg_duck
from custseg_duck import catalog, documentation
from custseg_duck.cli import main as command

REFERENCE = Path(__file__).parent / "reference.md"

FOLDERS = {
    "source": "Order lines",
    "features": "Features",
    "segments": "Vectors, models, scoring",
    "baskets": "Itemsets, rules, offers",
    "insight": "What segments mean, and how they move",
}

SHOP = """
    create table order_lines as
    select
        customer as customer_id,
        customer * 100 + visit as order_id,
        (customer * 7 + visit * 5 + line) % 12 as product_id,
        timestamp '2024-01-01' + interval (visit * (1 + customer % 3)) day as ordered_at,
        1 + line as quantity,
        (5 + customer % 3 * 20 + line)::decimal(10, 2) as amount,
        'department ' || (customer + line) % 4 as department,
        'product ' || (customer * 7 + visit * 5 + line) % 12 as product_name,
    from range(60) as customers (customer)
    cross join range(5) as visits (visit)
    cross join range(3) as lines (line)
"""


def reference() -> str:
    """The whole page."""
    parts = (_introduction(), _macros(), _parts(), _tables(), _python(), _command())
    return "\n".join(line for part in parts for line in part)


def _introduction() -> Iterator[str]:
    yield "# Reference"
    yield ""
    yield "Made by `make docs` from the headers of the SQL files, the docstrings and the command."
    yield "The same is in every database: `from custseg.help()`."
    yield ""
    yield "[Macros](#macros) · [Parts](#parts) ·"
    yield "[Tables and views of a run](#tables-and-views-of-a-run) · [Python](#python) ·"
    yield "[Command](#command)"
    yield ""
    yield "## Macros"
    yield ""
    yield "Relations are given by name, in quotes (`'order_lines'`, `'shop.main.order_lines'`,"
    yield "`'\"my table\"'`); options follow with `:=`. Table macros follow `from`; the others are"
    yield "functions of a `select`."


def _macros() -> Iterator[str]:
    for folder, title in FOLDERS.items():
        yield ""
        yield f"### {title}"
        for path in catalog.MACROS:
            if path.startswith(f"{folder}/") and path not in catalog.PARTS:
                yield from _macro(documentation.header(path))


def _macro(header: documentation.Header) -> Iterator[str]:
    yield ""
    yield f"#### `{header.name}`"
    yield ""
    yield "```text"
    yield f"{'from ' if header.is_table else ''}{header.call}"
    yield "```"
    yield ""
    yield f"{_escaped(header.summary[:1].upper() + header.summary[1:])}"
    for mark, text in (
        ("Takes", header.takes), ("Gives", header.gives), ("Source", header.source),
    ):  # fmt: skip
        if text:
            yield ""
            yield f"**{mark}** {_escaped(text)}"


def _parts() -> Iterator[str]:
    yield ""
    yield "## Parts"
    yield ""
    yield "What the macros above are made of. They may change from one version to the next."
    yield ""
    for path in catalog.MACROS:
        if path in catalog.PARTS:
            header = documentation.header(path)
            yield f"- `{header.call.removeprefix('custseg.')}`: {_escaped(header.summary)}"


def _tables() -> Iterator[str]:
    """Tables and views with the columns that they have after two runs of a small shop."""
    yield ""
    yield "## Tables and views of a run"
    yield ""
    yield "In the schema `custseg`. Ids have the types that they have in the source: here `BIGINT`."
    with custseg_duck.connect() as con:
        con.execute(SHOP)
        custseg_duck.run("order_lines", con=con, k="auto", min_support=0.02)
        custseg_duck.refresh(con=con, fit="frozen", as_of="2024-01-12")
        for name in (*catalog.TABLES, *catalog.VIEWS):
            yield ""
            yield f"### `custseg.{name}`"
            yield ""
            yield _escaped(documentation.description(f"run/{name}"))
            yield ""
            yield "| column | type |"
            yield "|---|---|"
            for column, kind in _columns(con, name):
                yield f"| `{column}` | `{kind}` |"


def _columns(con: duckdb.DuckDBPyConnection, name: str) -> list[tuple[str, str]]:
    return con.execute(
        "select column_name, data_type from duckdb_columns() where schema_name = 'custseg' "
        "and database_name = current_database() and table_name = $name order by column_index",
        {"name": name},
    ).fetchall()


def _python() -> Iterator[str]:
    yield ""
    yield "## Python"
    for name in custseg_duck.__all__:
        found = getattr(custseg_duck, name)
        if not callable(found):
            continue
        yield ""
        yield f"### `custseg_duck.{name}`"
        yield ""
        yield "```text"
        if inspect.isfunction(found):
            yield from _signature(name, found)
            yield ""
        yield from (inspect.getdoc(found) or "").splitlines()
        yield "```"
        if inspect.isclass(found) and not issubclass(found, Exception):
            yield from _members(found)


def _signature(name: str, function: object) -> Iterator[str]:
    signature = inspect.signature(function)  # type: ignore[arg-type]
    yield f"{name}("
    has_star = False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not has_star:
            has_star = True
            yield "    *,"
        plain = parameter.replace(annotation=parameter.empty)
        yield f"    {plain},"
    yield ")"


def _members(found: type) -> Iterator[str]:
    yield ""
    yield "| member | is |"
    yield "|---|---|"
    for name, member in vars(found).items():
        if not name.startswith("_") and (isinstance(member, property) or callable(member)):
            text = (inspect.getdoc(member) or "").splitlines()[0]
            call = name if isinstance(member, property) else f"{name}(...)"
            yield f"| `{call}` | {_escaped(text)} |"


def _command() -> Iterator[str]:
    yield ""
    yield "## Command"
    yield from _help(command, ())


def _help(found: click.Command, words: tuple[str, ...]) -> Iterator[str]:
    yield ""
    yield f"### `{' '.join(('custseg-duck', *words))}`"
    yield ""
    yield "```text"
    done = CliRunner().invoke(
        command, [*words, "--help"], prog_name="custseg-duck", terminal_width=80
    )
    lines = done.output.rstrip().splitlines()
    if words == ("sql",):  # each step's is its macro's
        del lines[lines.index("Commands:") + 1 :]
        lines.append("  ... every macro above but the fits")
    yield from lines
    yield "```"
    if isinstance(found, click.Group) and words != ("sql",):
        for name in sorted(found.commands):
            yield from _help(found.commands[name], (*words, name))


def _escaped(text: str) -> str:
    """As Markdown shows it: no tag, emphasis or cell in it."""
    for mark, written in (("<", "&lt;"), ("*", "\\*"), ("|", "\\|")):
        text = text.replace(mark, written)
    return text


if __name__ == "__main__":
    REFERENCE.write_text(reference() + "\n", encoding="utf-8")
