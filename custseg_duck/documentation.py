"""What the SQL files say of themselves, as comments in the database and for custseg.help()."""

import re
from typing import NamedTuple

import duckdb

from custseg_duck import catalog
from custseg_duck.statements import comment_on

_NAME = re.compile(r"create or replace macro custseg\.(\w+)\((.*?)\)\s+as(\s+table)?\b", re.S)
_COMMA = re.compile(r",(?![^\[\]()]*[\])])")  # outside of lists
_PART = "a part that others are made of"
_MARKS = ("in", "out", "source")


class Header(NamedTuple):
    """The comment at the beginning of a macro's file.

    call : the macro as one would type it, with its options' defaults; required : the names of the
    other parameters; optional : defaults by name; takes, gives and source : empty where the file
    has none
    """

    name: str
    call: str
    required: tuple[str, ...]
    optional: dict[str, str]
    is_table: bool
    summary: str
    takes: str
    gives: str
    source: str


def header(path: str) -> Header:
    """The header of the macro in ``sql/<path>.sql``."""
    text = catalog.statement(path)
    signature = _NAME.search(text)
    if signature is None:
        raise ValueError(f"sql/{path}.sql must create a macro in custseg")
    name, parameters, table = signature.groups()
    written = [" ".join(one.split()) for one in _COMMA.split(parameters) if one.strip()]
    parts = _parts(text)
    return Header(
        name,
        f"custseg.{name}({', '.join(written)})",
        tuple(one for one in written if ":=" not in one),
        dict(one.split(" := ", 1) for one in written if ":=" in one),
        table is not None,
        parts[""].partition("): ")[2],
        *(parts[mark] for mark in _MARKS),
    )


def description(path: str) -> str:
    """What the first comment of ``sql/<path>.sql`` says, on one line."""
    return _parts(catalog.statement(path))[""]


def comments() -> list[str]:
    """The statements that put every macro's header beside it."""
    return [comment(path) for path in catalog.MACROS]


def comment_results(con: duckdb.DuckDBPyConnection) -> None:
    """Say beside each table and view of a run what it is."""
    found = con.execute(
        "select table_name, 'table' from duckdb_tables() "
        "where database_name = current_database() and schema_name = 'custseg' "
        "union all select view_name, 'view' from duckdb_views() "
        "where database_name = current_database() and schema_name = 'custseg'"
    ).fetchall()
    known = {**dict.fromkeys(catalog.TABLES, "table"), **dict.fromkeys(catalog.VIEWS, "view")}
    statements = [
        comment_on(kind, name, description(f"run/{name}"))
        for name, kind in sorted(found)
        if known.get(name) == kind
    ]
    con.execute("; ".join(statements))


def comment(path: str) -> str:
    """The statement that puts a macro's header beside it."""
    found = header(path)
    lines = [found.call, found.summary]
    lines += [
        f"{mark}: {text}"
        for mark, text in zip(_MARKS, (found.takes, found.gives, found.source), strict=True)
        if text
    ]
    if path in catalog.PARTS:
        lines.append(_PART)
    return comment_on("macro table" if found.is_table else "macro", found.name, "\n".join(lines))


def _parts(text: str) -> dict[str, str]:
    """The first comment by its marks; what comes before them under ""."""
    parts = dict.fromkeys(("", *_MARKS), "")
    mark = ""
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        content = line[2:].strip()
        marked = re.match(r"(in|out|source):\s*(.*)", content)
        if marked and line[3:4] != " ":
            mark, content = marked.groups()
        parts[mark] = f"{parts[mark]} {content}".strip()
    return parts
