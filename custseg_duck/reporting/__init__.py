"""The report of a run: one page for people. Needs the extra ``report``."""

import os
from importlib.util import find_spec
from pathlib import Path

import duckdb

from custseg_duck.arguments import path_text, require_connection, require_text

NEEDED = ("altair", "jinja2", "networkx", "vl_convert")


def export_report(
    con: duckdb.DuckDBPyConnection,
    path: str | os.PathLike[str],
    *,
    name: str = "default",
    title: str | None = None,
) -> Path:
    """Write what a run found as one HTML page, for people who do not query databases.

    The page is one file without scripts and without anything that comes over a network. It has
    the segments and what sets them apart, the choice of their number, rules and offers, who moved
    since the run before, and notes on the data; what the run does not have is left out. It is
    written beside its place and put there when it is whole; a page that is there is replaced.

    Parameters
    ----------
    con : DuckDBPyConnection
        With a run. Nothing is written to the database.
    path : str or path
        Of the page; ends in .html.
    name : str
        The run's name.
    title : str, optional
        Heading of the page; by default "Customer segments".

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    InputError
        If there is no run of this name, the path does not end in .html, or the file cannot be
        written.
    ImportError
        If the extra ``report`` is not installed.
    """
    require_connection(con)
    place = path_text(path)
    require_text("name", name)
    if title is not None:
        require_text("title", title)
    missing = [module for module in NEEDED if find_spec(module) is None]
    if missing:
        raise ImportError(
            f"a report needs {', '.join(missing)}, which is not installed: "
            "pip install 'custseg_duck[report]'"
        )
    from custseg_duck.reporting.page import write

    return write(con, place, name, title)
