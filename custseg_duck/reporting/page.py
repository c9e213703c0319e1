"""Puts the sections of a report together, and writes the page."""

import contextlib
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from custseg_duck import colours
from custseg_duck.errors import InputError, file_errors
from custseg_duck.functions import in_transaction
from custseg_duck.placing import placed
from custseg_duck.reporting.facts import facts_of
from custseg_duck.reporting.sections import SECTIONS
from custseg_duck.reporting.summary import in_short
from custseg_duck.reporting.words import FILTERS
from custseg_duck.transactions import transaction

TITLE = "Customer segments"
SUFFIX = ".html"


def write(
    con: duckdb.DuckDBPyConnection, path: str | os.PathLike[str], name: str, title: str | None
) -> Path:
    """Write the report of a run; see ``custseg_duck.export_report``."""
    target = Path(path)
    if target.suffix.lower() != SUFFIX:
        raise InputError(f"path must end in {SUFFIX}, got {os.fspath(path)!r} [file-suffix]")
    with one_moment(con):
        text = page(con, name, title)
    with file_errors(f"cannot write {target}"), placed(target) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    return target


def page(con: duckdb.DuckDBPyConnection, name: str, title: str | None = None) -> str:
    """The report of a run as HTML.

    Raises
    ------
    InputError
        If there is no run of this name.
    """
    facts = facts_of(con, name)
    found = [(section, section.content(facts)) for section in SECTIONS]
    return (
        environment()
        .get_template("page.html")
        .render(
            title=title or TITLE,
            run=facts.run,
            facts=facts,
            labels=facts.labels,
            in_short=in_short(facts),
            sections=[(section, content) for section, content in found if content is not None],
        )
    )


def environment() -> Environment:
    """Templates that escape all that is put into them."""
    made = Environment(
        loader=PackageLoader("custseg_duck.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= FILTERS
    made.globals |= {"style": style(), "colour_of": lambda number: colours.of_segment(number)[0]}
    return made


def style() -> Markup:
    """The style sheet, with the colours of the charts."""
    text = files("custseg_duck.reporting").joinpath("templates", "style.css").read_text("utf-8")
    known: dict[str, Any] = vars(colours)
    for word in ("INK", "QUIET", "RULE", "ACCENT", "BESIDE"):
        text = text.replace(f"${word}", known[word])
    return Markup(text)  # noqa: S704 - our own


@contextlib.contextmanager
def one_moment(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All that is read within is of one moment: in a transaction, unless there is one."""
    if in_transaction(con):
        yield
        return
    with transaction(con):
        yield
