"""Statements and parts of them that are made of names, quoted whatever is in them."""

import os
import re
import string
from collections.abc import Iterable, Iterator, Mapping

from custseg_duck.errors import InputError

PARQUET_SUFFIXES = (".parquet", ".parq", ".pq")
CSV_SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".csv.zst")

LINES_VIEW = "custseg_run_lines"
PURCHASES_VIEW = "custseg_run_purchased_items"
# what was mined, without the name that a run gives it
MINED = "select * exclude (run_name) from temp.main.custseg_run_itemsets"


_FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def folded(name: str) -> str:
    """``name`` as DuckDB compares it: it folds A to Z and no other letters."""
    return name.translate(_FOLD)


def quote_name(name: str) -> str:
    """``name`` as an SQL identifier, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """``text`` as an SQL string, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"


def relation_of(name: str) -> str:
    """What may follow ``from``: of a Parquet or CSV path, or of a table's name as SQL has it."""
    if is_path(name):
        return file_relation(name)
    parts = table_parts(name)
    if not parts:
        raise InputError(f"source must be the name of a table or a file, got {name!r} [no-source]")
    return ".".join(quote_name(part) for part in parts)


def table_parts(name: str) -> list[str]:
    """What a table's name consists of, as SQL has it: ``"a.b".c`` of a.b and c; else nothing."""
    import sqlglot

    try:
        table: object = sqlglot.exp.to_table(name, dialect="duckdb")
    except (sqlglot.errors.SqlglotError, ValueError):  # the latter of four dots and more
        return []
    # of several statements it makes something else
    return [part.name for part in table.parts] if isinstance(table, sqlglot.exp.Table) else []


def is_reserved(table: str) -> bool:
    """Whether a temporary table or view of this name would be one of ours, which runs drop."""
    return folded(table).startswith(("custseg_run_", "custseg_source_"))


def is_path(text: str) -> bool:
    """Whether it ends as the name of a Parquet or CSV file does."""
    return text.lower().endswith(PARQUET_SUFFIXES + CSV_SUFFIXES)


def file_relation(path: str) -> str:
    """What may follow ``from``: of a Parquet or CSV path."""
    reader = "read_parquet" if path.lower().endswith(PARQUET_SUFFIXES) else "read_csv"
    return f"{reader}({quote_path(path)})"


def quote_path(path: str) -> str:
    """``path`` as an SQL string: of a file that is there, or else a pattern of several.

    DuckDB alone would take sales[1].csv for a pattern even so, and read sales1.csv.
    """
    is_file = os.path.exists(path)
    return quote_text(re.sub(r"[*?\[]", r"[\g<0>]", path) if is_file else path)


def purchase_views(relation: str, item: str) -> tuple[str, ...]:
    """The statements of ``attach_purchases``."""
    return (
        f"create temp view {LINES_VIEW} as from {relation}",
        f"create temp view {PURCHASES_VIEW} as\n"
        f"from custseg.purchased_items('temp.main.{LINES_VIEW}', item := {quote_text(item)})",
    )


def itemset_table(table: str, *, temporary: bool) -> tuple[str, str]:
    """How to read a table, and the statement that puts the itemsets just mined there.

    Raises
    ------
    InputError
        If it has no name, or one that is ours.
    """
    if not table:
        raise InputError(f"into must be the name of a table, got {table!r} [option]")
    if temporary and is_reserved(table):
        raise InputError(
            f"into must not begin as our own temporary tables do, got {table!r} [option]"
        )
    place = f"temp.main.{quote_name(table)}" if temporary else quote_name(table)
    kind = "temp table" if temporary else "table"
    return f"from {place}", f"create or replace {kind} {place} as\n{MINED}"


def dropped(steps: Iterable[str]) -> Iterator[str]:
    """The statements that drop the temporary tables of these steps."""
    for step in steps:
        yield f"drop table if exists temp.main.{quote_name('custseg_run_' + step)}"


def dropped_purchases() -> Iterator[str]:
    """The statements that drop what ``attach_purchases`` made."""
    for view in (PURCHASES_VIEW, LINES_VIEW):
        yield f"drop view if exists temp.main.{view}"


def comment_on(kind: str, name: str, text: str) -> str:
    """The statement that says beside an object of custseg what it is."""
    return f"comment on {kind} custseg.{quote_name(name)} is {quote_text(text)}"


def dropped_object(kind: str, name: str) -> str:
    """The statement that drops an object of custseg, if it is there."""
    return f"drop {kind} if exists custseg.{quote_name(name)}"


def input_view(view: str, source: str, columns: Mapping[str, str]) -> str:
    """The statement that puts a table or file before a macro, its columns under canonical names."""
    renamed = ", ".join(
        f"{quote_name(theirs)} as {quote_name(ours)}" for ours, theirs in columns.items()
    )
    return (
        f"create or replace temp view {quote_name(view)} as\n"
        f"select *{f' rename ({renamed})' if renamed else ''}\nfrom {relation_of(source)}"
    )


def features_of_run(view: str, run_name: str) -> str:
    """The statement that makes a temporary view of the features of one run."""
    return (
        f"create or replace temp view {quote_name(view)} as "
        f"from custseg.customer_features where run_name = {quote_text(run_name)}"
    )


def call_of(macro: str, arguments: Iterable[str], options: Mapping[str, str]) -> str:
    """The statement that calls a table macro of custseg; all are SQL already."""
    written = [*arguments, *(f"{name} := {value}" for name, value in options.items())]
    return f"from custseg.{macro}({', '.join(written)})"


def table_of(table: str, query: str) -> str:
    """The statement that makes or replaces a table, of a name as SQL has it.

    Raises
    ------
    InputError
        If it is none.
    """
    parts = [] if is_path(table) else table_parts(table)
    if not parts:
        raise InputError(f"into must be the name of a table, got {table!r} [option]")
    return f"create or replace table {'.'.join(map(quote_name, parts))} as\n{query}"


def table_in(database: str, schema: str, table: str) -> str:
    """A table's full name."""
    return ".".join(quote_name(part) for part in (database, schema, table))


def setting(name: str, value: int) -> str:
    """The statement that sets one of DuckDB's settings, which takes no parameter."""
    return f"set {name} = {value}"


def described_call(function: str, n_arguments: int) -> str:
    """The statement that binds a call of a function of Python's, without calling it."""
    return f"describe select system.main.{function}({', '.join(['null'] * n_arguments)})"


def count_of(relation: str) -> str:
    """The statement that counts the rows of a relation, each of them made."""
    return f"select count(columns(*)) from {relation}"


def last_part(relation: str) -> str:
    """The table's name alone, of a full one as ``table_in`` writes it."""
    return table_parts(relation)[-1]


def attached(path: str, database: str, storage_version: str) -> str:
    """The statement that makes a database file and attaches it."""
    return (
        f"attach {quote_text(path)} as {quote_name(database)} "
        f"(read_write, storage_version {quote_text(storage_version)})"
    )


def detached(database: str) -> str:
    """The statement that lets go of an attached database."""
    return f"detach {quote_name(database)}"


def checkpointed(database: str) -> str:
    """The statement that puts all that was committed into the file itself."""
    return f"checkpoint {quote_name(database)}"


def used_database(database: str) -> str:
    """The statement that makes a database the current one."""
    return f"use {quote_name(database)}"


def copied_table(database: str, schema: str, table: str, relation: str) -> str:
    """The statement that makes a table of another one's rows."""
    return f"create table {table_in(database, schema, table)} as from {relation}"
