"""The SQL of each step as text that any DuckDB client runs as it stands."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import sqlglot
from sqlglot import exp

from custseg_duck import catalog, documentation
from custseg_duck.documentation import Header
from custseg_duck.errors import InputError
from custseg_duck.statements import (
    call_of,
    input_view,
    is_path,
    quote_text,
    table_of,
)
from custseg_duck.udfs import UDFS

_MACRO = re.compile(r"\bcustseg\.(\w+)\(")
_UDF = re.compile(rf"\b({'|'.join(udf.name for udf in UDFS)})\(")
_LITERALS = (exp.Literal, exp.Null, exp.Boolean, exp.Array, exp.Struct, exp.Map, exp.Neg, exp.ToMap)


class Step(NamedTuple):
    """A macro that can be asked for by its name, and the file that it is in."""

    path: str
    header: Header


@cache
def steps() -> dict[str, Step]:
    """All macros but the parts that others are made of, by their names."""
    return {
        path.rpartition("/")[2]: Step(path, documentation.header(path))
        for path in catalog.MACROS
        if path not in catalog.PARTS
    }


def script(
    name: str,
    given: Mapping[str, str | None],
    *,
    columns: Mapping[str, str] | None = None,
    into: str | None = None,
    with_macros: bool = True,
) -> str:
    """The statements that call a macro, or of one that gives no table, that make it.

    Parameters
    ----------
    name : str
        One of ``steps()``.
    given : mapping
        What its parameters are to be: SQL literals, or texts, of which those that end like a
        Parquet or CSV file are read; None where the default is to hold.
    columns : mapping, optional
        Canonical column name to that of the first relation.
    into : str, optional
        A table to make of it.
    with_macros : bool
        Begin with the macros that it needs.

    Raises
    ------
    InputError
        If it needs a function that only Python has, or a name or value is not as above.
    """
    step = steps()[name]
    if needs_python(name):
        raise InputError(
            f"{name} must be plain SQL to be printed, got one that fits in Python, by "
            f"{', '.join(needs_python(name))}: call it after custseg_duck.load(con) [needs-python]"
        )
    if not step.header.is_table:
        return standalone(catalog.statement(step.path) + ";\n") if with_macros else ""
    statements, arguments = [], []
    mapped = dict(columns or {})
    for number, parameter in enumerate(step.header.required, 1):
        value = given[parameter] or ""
        if is_path(value) or mapped:
            view = f"custseg_input_{number}"
            statements.append(input_view(view, value, mapped))
            mapped, value = {}, view
        arguments.append(_literal(parameter, value))
    options = {
        parameter: _literal(parameter, given[parameter] or "")
        for parameter in step.header.optional
        if given.get(parameter) is not None
    }
    called = call_of(name, arguments, options)
    statements.append(called if into is None else table_of(into, called))
    text = ";\n\n".join(statements) + ";\n"
    return standalone(text) if with_macros else text


def standalone(text: str) -> str:
    """A script with the macros that it calls, and those that they call, before it."""
    wanted: set[str] = set()
    found = set(_MACRO.findall(text))
    by_name = {path.rpartition("/")[2]: path for path in catalog.MACROS}
    while found:
        wanted |= found
        texts = [catalog.statement(by_name[one]) for one in found]
        found = {called for one in texts for called in _MACRO.findall(one)} - wanted
    paths = [path for path in catalog.MACROS if path.rpartition("/")[2] in wanted]
    statements = ["create schema if not exists custseg"]
    for path in paths:
        statements += [catalog.statement(path), documentation.comment(path)]
    return ";\n\n".join(statements) + ";\n\n" + text


@cache
def needs_python(name: str) -> tuple[str, ...]:
    """The functions that a macro, or one that it calls, has Python do."""
    return tuple(sorted(set(_UDF.findall(standalone(f"custseg.{name}(")))))


def _literal(parameter: str, value: str) -> str:
    """A value as SQL: numbers, lists and such are so already; all else is a text.

    Raises
    ------
    InputError
        If it begins like a list, a struct, a map or a text and is none.
    """
    if re.fullmatch(r"(?i)null|true|false|[-+]?[\d_]*\.?\d+(e[-+]?\d+)?", value):
        return value
    if not re.match(r"(?i)\[|\{|map\s*\{|'", value):
        return quote_text(value)
    try:
        parsed: Any = sqlglot.parse_one(value, dialect="duckdb")
    except sqlglot.errors.SqlglotError as error:
        raise InputError(f"{parameter} must be an SQL literal, got {value} [option]") from error
    parts = parsed.walk()
    allowed = (*_LITERALS, exp.PropertyEQ, exp.Identifier)
    if not isinstance(parsed, _LITERALS) or not all(isinstance(part, allowed) for part in parts):
        raise InputError(f"{parameter} must be an SQL literal, got {value} [option]")
    return value
