"""Doors without a run: of what is not there, of tables and files that are made, of labels."""

# ruff: noqa: ARG001 (what goes through a table of functions takes what all of them take)

import html.parser
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

import custseg_duck
from custseg_duck.statements import features_of_run, is_path, quote_name, quote_text
from tests.hard.names.world import (
    QUICK,
    TABLES,
    Door,
    World,
    as_json,
    canary_frame,
    command_output,
    fold,
    lines_sql,
    plainly,
    refused,
    same,
)


def missing(world: World, name: str, draw: random.Random) -> object:
    """Without such a table it is refused, unless it is the path of data that is there."""
    canary_table = canary_frame  # what a replacement scan would find in a caller
    assert canary_table
    argument = draw.choice(["source", "features", "itemsets", "mapping"])
    try:
        if argument == "itemsets":
            custseg_duck.frequent_itemsets(name, con=world.con, temporary=True, into="made")
            world.con.execute("drop table temp.made")
        else:
            given = {"lines": name} if argument == "mapping" else name
            key = "features" if argument == "features" else "source"
            custseg_duck.run(**{key: given}, con=world.con, **QUICK)
    except custseg_duck.CustsegError as error:
        return refused(error)
    is_data = is_path(name) or (argument == "source" and os.path.isdir(name))
    is_table = fold(name).strip(' ";') in TABLES
    same(is_data or is_table, True, f"{argument} without a table")
    # reading a file by its path, or a table by its name, is what was asked for
    custseg_duck.run("order_lines", con=world.con, **QUICK)
    return None


def columns_missing(world: World, name: str, draw: random.Random) -> object:
    """A column that is not there is named as it was given."""
    asked = draw.choice(["columns", "item", "include", "exclude", "weights", "transforms"])
    given: dict[str, Any] = {
        "columns": {"columns": {"customer_id": name}},
        "item": {"item": name},
        "include": {"include": [name]},
        "exclude": {"exclude": [name]},
        "weights": {"weights": {name: 2.0}},
        "transforms": {"transforms": {name: "log"}},
    }[asked]
    try:
        if asked == "item":
            custseg_duck.frequent_itemsets("order_lines", con=world.con, temporary=True, **given)
        else:
            custseg_duck.run("order_lines", con=world.con, **QUICK | given)
    except custseg_duck.CustsegError as error:
        return refused(error)
    known = {"customer_id", "order_id", "product_id", "department_share", "amount", "label"}
    same(fold(name) in known or asked == "item", True, f"{asked} accepted")
    world.con.execute("drop table if exists temp.itemsets")
    return None


def run_missing(world: World, name: str, draw: random.Random) -> object:
    """Where there is no run, model or segment of this name, that is said with the name in it."""
    con = world.con
    if world.rows("select 1 from custseg.runs where run_name = ?", [name]):
        return None
    calls: list[Callable[[], object]] = [
        lambda: custseg_duck.refresh(con=con, name=name),
        lambda: custseg_duck.export_model(con, "made.json", name=name),
        lambda: custseg_duck.drop_model(con, name=name),
        lambda: custseg_duck.export_targets(con, "made.csv", segments=[name]),
        lambda: custseg_duck.export_targets(con, "made.csv", name=name),
        lambda: custseg_duck.export_report(con, "made.html", name=name),
        lambda: custseg_duck.export(con, "made.duckdb", tables=[name]),
    ]
    for call in calls:
        try:
            call()
        except custseg_duck.CustsegError as error:
            shown = refused(error)
            is_said = any(
                plainly(one) in plainly(shown)
                for one in (name, repr(name), name.replace("\0", "0"))
            )
            same(is_said or is_path(name), True, f"the name in the error {shown!r}")
        else:
            same(fold(name).strip(' ";') in (*TABLES, "0", "1"), True, "a call")
            for left in Path().glob("made.*"):
                left.unlink()
    return None


def into(world: World, name: str, draw: random.Random) -> object:
    """The table that itemsets are put into."""
    temporary = draw.random() < 0.5
    given = {"con": world.con, "min_support": 0.2, "temporary": temporary}
    if fold(name) in TABLES:
        return None  # that one is to be replaced, by what the option says
    found = custseg_duck.frequent_itemsets("order_lines", into=name, **given).fetchall()
    place = f"{'temp' if temporary else 'shop'}.main.{quote_name(name)}"
    same(world.rows(f"from {place}"), found, "rows")
    world.con.execute(f"drop table {place}")
    expected = world.rows("from custseg.frequent_itemsets('order_lines', min_support := 0.2)")
    same(len(found), len(expected), "itemsets")
    return found


def exported(world: World, name: str, draw: random.Random) -> object:
    """A table of this name goes into an export, and comes out of it."""
    with world.table(name, lines_sql("s")):
        custseg_duck.export(
            world.con, "made.duckdb", tables=[quote_name(name) if is_path(name) else name]
        )
    try:
        with duckdb.connect("made.duckdb", read_only=True) as con:
            found = con.execute(f"select distinct customer_id from main.{quote_name(name)}")
            same({one for (one,) in found.fetchall()}, {f"s{n}" for n in range(12)}, "customers")
            shown = con.execute("select one::varchar from custseg.segments as one").fetchall()
    finally:
        Path("made.duckdb").unlink()
    return shown


def model(world: World, name: str, draw: random.Random) -> object:
    """A model under this name, and a file that is called so."""
    con = world.con
    before = {one for (one,) in world.rows("select name from custseg.models")}
    is_files = "/" not in name and "\0" not in name and len(name) < 100  # could be a file's
    path = Path("made", f"{name if is_files else 'plain'}.{draw.choice(['json', 'parquet'])}")
    path.parent.mkdir()
    try:
        custseg_duck.export_model(con, path)
        same([one.name for one in path.parent.iterdir()], [path.name], "files")
        stored, version = custseg_duck.import_model(con, path, name=name)
    finally:
        shutil.rmtree("made")
    found = {one for (one,) in world.rows("select name from custseg.models")}
    same((stored, found), (name, before | {name}), "names of models")
    con.execute(features_of_run("scored_again", "default"))
    own = world.rows(
        "select count(*) from custseg.score('scored_again', ?) as mine inner join "
        "custseg.segments as theirs using (customer_id) "
        "where run_name = 'default' and mine.segment = theirs.segment", [name]
    )  # fmt: skip
    con.execute("drop view scored_again")
    same(own, [(12,)], "customers scored alike")
    same(custseg_duck.drop_model(con, name=name, version=version), 1, "dropped")
    return None


def labels(world: World, name: str, draw: random.Random) -> object:
    """A label that somebody gave, and by which customers are asked for."""
    con, ours = world.con, "run_name = 'default' and segment = 1"
    con.execute(f"update custseg.segment_labels set label = ? where {ours}", [name])
    found = world.rows(f"select distinct label from custseg.labelled_segments where {ours}")
    same(found, [(name,)], "label")
    wanted = world.rows(f"select count(*) from custseg.segments where {ours}")
    counted = world.rows("select count(*) from custseg.target_list([?])", [name])
    if name != "0":  # the number of another
        same(counted, wanted, "customers")
    custseg_duck.export_targets(con, "made.parquet", segments=[name, "0"])
    told = pq.read_table("made.parquet").column("label").to_pylist()
    same(name in told, True, f"labels in the file {set(told)}")
    Path("made.parquet").unlink()
    shown = as_json(["show", "labelled_segments", "-d", "shop.duckdb", "--format", "json"])
    same({row["label"] for row in shown if row["segment"] == 1}, {name}, "the command's JSON")
    return told, shown, command_output(["show", "-d", "shop.duckdb"])


class _Page(html.parser.HTMLParser):
    """What a page has: elements, and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def report(world: World, name: str, draw: random.Random) -> object:
    """The report's heading is text, whatever is in it."""
    custseg_duck.export_report(world.con, "made.html", title=name or None)
    page = Path("made.html").read_bytes().decode()
    custseg_duck.export_report(world.con, "made.html", title="plain")
    plain = _Page(Path("made.html").read_text(encoding="utf-8"))
    Path("made.html").unlink()
    read = _Page(page)
    same(read.elements, plain.elements, "elements of the page")
    same(any(name.strip() in text for text in (*read.text, "".join(read.text))), True,
         "the title in the page")  # fmt: skip
    return page


def printed(world: World, name: str, draw: random.Random) -> object:
    """The printed SQL of a step, executed by another client, reads this table alone."""
    step = draw.choice(["rfm", "itemsets", "frequent_itemsets", "order_lines"])
    quoted = quote_name(name)
    made_table = name if draw.random() < 0.3 else "made_of_it"
    text = command_output(["sql", step, "--into", quote_name(made_table), "--", quoted])
    with duckdb.connect() as con:
        con.execute("create table x as select 'zqTABLEzq' as kept")
        con.execute(f"create table {quoted} as {lines_sql('s')}")
        expected = con.execute(f"from {quoted}").fetchall()
        con.execute(text)
        tables = {table for (table,) in con.execute(
            "select table_name from duckdb_tables() where not temporary").fetchall()}  # fmt: skip
        same(tables, {"x", name, made_table}, "tables")
        same(con.execute("from x").fetchall(), [("zqTABLEzq",)], "x")
        if made_table != name:
            same(con.execute(f"from {quoted}").fetchall(), expected, "lines")
        return con.execute(f"from {quote_name(made_table)}").fetchall()


def macros(world: World, name: str, draw: random.Random) -> object:
    """A macro reads the table of this name, and no other; options are values."""
    called = draw.choice(["rfm", "order_lines", "baskets", "customer_features", "item_names"])
    con = world.con
    with world.table(name, lines_sql("s")):
        found = world.rows(f"from custseg.{called}({quote_text(quote_name(name))})")
        with world.table("plainly", lines_sql("s")):
            expected = world.rows(f"from custseg.{called}('plainly')")
        same(sorted(map(str, found)), sorted(map(str, expected)), called)
        excluded = world.rows(
            f"select count(*) from custseg.order_lines({quote_text(quote_name(name))}, "
            "exclude_items := [?])", [name],
        )  # fmt: skip
        same(excluded, [(72,)], "lines without an item that is not there")
    for option in ("returns", "duplicates", "time_zone"):
        try:
            con.execute(f"from custseg.order_lines('order_lines', {option} := ?)", [name])
        except (duckdb.InvalidInputException, duckdb.NotImplementedException):
            continue
    return found


OTHERS: tuple[Door, ...] = (
    missing, columns_missing, run_missing, into, exported, model, labels, report, printed, macros,
)  # fmt: skip
