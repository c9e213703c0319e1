"""Doors of a whole run: each takes a name in, and holds what comes out against what was put in."""

# ruff: noqa: ARG001 (what goes through a table of functions takes what all of them take)

import csv
import io
import json
import random
import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

import custseg_duck
from custseg_duck.statements import is_path, is_reserved, quote_name, quote_text
from tests.hard.names.world import (
    CUSTOMERS,
    OWN,
    QUICK,
    Door,
    World,
    as_json,
    command_output,
    customers,
    fold,
    lines_sql,
    same,
)


def source(world: World, name: str, draw: random.Random) -> object:
    """A table of this name, as it is or in quotes, is the one that run reads."""
    temporary = draw.random() < 0.2 and not is_reserved(name)
    written = quote_name(name) if is_path(name) or draw.random() < 0.3 else name
    with world.table(name, lines_sql("s"), temporary):
        custseg_duck.run(written, con=world.con, **QUICK)
    same(customers(world), {f"s{number}" for number in range(12)}, "customers")
    ((said,),) = world.rows("select source from shop.custseg.runs order by run_id desc limit 1")
    same(said.startswith(written), True, f"what the run says it read, {said!r}")
    return world.results()


def columns(world: World, name: str, draw: random.Random) -> object:
    """Columns of these names are mapped to the canonical ones."""
    product = name + "2"
    twins = [twin for twin in {name.upper(), name.lower()} if fold(twin) != fold(name)]
    decoys = "".join(f", 'zqTWINzq' as {quote_name(twin)}" for twin in twins[:1])
    query = (
        f"select customer_id as {quote_name(name)}, product_id as {quote_name(product)}, order_id, "
        f"amount, ordered_at{decoys} from order_lines"
    )
    mapping = {"customer_id": name, "product_id": product}
    if draw.random() < 0.5:
        mapping = {"product_id": product, "customer_id": name}
    with world.table("mapped", query):
        custseg_duck.run("mapped", con=world.con, columns=mapping, **QUICK)
    same(customers(world), CUSTOMERS, "customers")
    ((kept,),) = world.rows(
        "select options['columns'] from shop.custseg.runs order by run_id desc limit 1"
    )
    same(json.loads(kept), mapping, "options")
    return world.results()


def run_name(world: World, name: str, draw: random.Random) -> object:
    """A run of this name: all that reads it finds this run, and it alone."""
    con = world.con
    custseg_duck.run(features="own", con=con, name=name, **QUICK)
    for table, column in (("segments", "run_name"), ("models", "name"), ("runs", "run_name")):
        found = world.rows(f"select distinct {column} from shop.custseg.{table} order by all")
        same({one for (one,) in found}, {"default", name}, table)
    same(custseg_duck.refresh(con=con, name=name).is_unchanged, True, "refresh finds nothing new")
    same(
        world.rows("select count(*) from custseg.target_list(of_run := ?)", [name]), [(12,)], "list"
    )
    same(custseg_duck.export_targets(con, "made.csv", name=name), 12, "targets")
    found = world.rows("select distinct segment from custseg.explain('c1', of_run := ?)", [name])
    same(len(found), 1, "explain")
    scored = world.rows("select count(segment) from custseg.score('own', ?)", [name])
    same(scored, [(12,)], "score")
    shown = [as_json(["show", "runs", "--name", name, "-d", "shop.duckdb", "--format", "json"])]
    same({row["run_name"] for row in shown[0]}, {name}, "the command's JSON")
    told = {finding.what: finding.status for finding in custseg_duck.self_check(con)}
    same(told[f"run {name!r}: segments against the model"], "ok", "the check in place")
    same(custseg_duck.drop_model(con, name=name), 1, "models dropped")
    path = Path("made.csv").read_text(encoding="utf-8")
    Path("made.csv").unlink()
    return world.results(), shown, path


def values(world: World, name: str, draw: random.Random) -> object:
    """Items, departments and customers of these names are the same in all that comes out."""
    con = world.con
    with world.table("own_lines", lines_sql(name, name, name)):
        custseg_duck.run(
            "own_lines", con=con, **QUICK | {"n_recommendations": 2, "segment_rules": True},
            exclude_items=[name + "0"],
        )  # fmt: skip
        offered = world.rows("select count(*) from custseg.baskets('own_lines')")
    same(customers(world), {f"{name}{number}" for number in range(12)}, "customers")
    items = {f"{name}{number}" for number in range(1, 5)}
    found = world.rows("select distinct unnest(items) from custseg.itemsets")
    same({item for (item,) in found} <= items and bool(found), True, f"items {found}")
    rules = world.rows("select distinct unnest(antecedents || consequents) from custseg.rules")
    same({item for (item,) in rules} <= items, True, "items of rules")
    ((trimmed,),) = world.rows("select list_transform([?, ?], lambda one: trim(one))",
                               [name + "0", name + "1"])  # fmt: skip
    departments = {one for (one,) in world.rows(
        "select distinct department from custseg.segment_profiles where department is not null"
    )}  # fmt: skip
    same(departments <= set(trimmed) and bool(departments), True, f"departments {departments}")
    explained = world.rows("select count(*) > 0 from custseg.explain(?)", [name + "3"])
    same(explained, [(True,)], "explain")
    read = list(csv.DictReader(io.StringIO(command_output(
        ["show", "itemsets", "-d", "shop.duckdb", "--format", "csv"]), newline="")))  # fmt: skip
    shown = {item for row in read for item in json.loads(row["items"])}
    same(shown, {item for (item,) in found}, "the command's CSV")
    beside = as_json(["show", "itemsets", "-d", "shop.duckdb", "--format", "json"])
    same({item for row in beside for item in row["items"]}, shown, "the command's JSON")
    custseg_duck.export_targets(con, "made.csv")
    told = list(csv.DictReader(io.StringIO(Path("made.csv").read_bytes().decode(), newline="")))
    same({row["customer_id"] for row in told}, customers(world), "the file of targets")
    Path("made.csv").unlink()
    return world.results(), offered, read, command_output(["show", "-d", "shop.duckdb"])


def features(world: World, name: str, draw: random.Random) -> object:
    """Features of these names: in the model, in its file, and in the CASE, which is executed."""
    con = world.con
    second = name + "2"
    twins = [twin for twin in {name.upper(), name.lower()} if fold(twin) != fold(name)]
    decoys = "".join(f", -customer as {quote_name(twin)}" for twin in twins[:1])
    query = OWN.format(columns=(
        f"(customer * 7) % 5 as {quote_name(name)}, customer % 4 as {quote_name(second)}{decoys}, "
        f"map {{{quote_text(name)}: customer / 12}} as department_share"
    ))  # fmt: skip
    with world.table("own_table", query):
        custseg_duck.run(
            features="own_table", con=con, include=[name, second, "department_share"],
            weights={name: 2.0}, transforms={second: "log"},
            **QUICK | {"decision_rules": True},
        )  # fmt: skip
        ((case, fidelity),) = world.rows(
            "select case_expression, fidelity from shop.custseg.decision_trees"
        )
        ((agreed,),) = world.rows(
            f"select avg((({case}) = segment)::integer) from own_table "
            "inner join shop.custseg.segments using (customer_id)"
        )
        same(round(agreed, 9), round(fidelity, 9), f"the customers on whom {case} agrees")
        for segment, condition, n_customers in world.rows(
            "select segment, condition, n_customers from shop.custseg.decision_rules"
        ):
            counted = world.rows(f"select count(*) from own_table where {condition}")
            same(counted, [(n_customers,)], f"customers of segment {segment}")
        scored = world.rows(
            "select count(*) from custseg.score('own_table') as scored inner join "
            "shop.custseg.segments as assigned using (customer_id) "
            "where scored.segment = assigned.segment"
        )
        same(scored, [(12,)], "customers scored alike")
        drift = world.rows("select distinct feature from custseg.feature_drift("
                           "'own_table', 'own_table')")  # fmt: skip
        same({feature for (feature,) in drift} >= {name, second}, True, f"drift {drift}")
    stored = "select list_transform(model.features, lambda one: [one.name, one.department]) from "
    expected = [([[name, None], [second, None], ["department_share", name]],)]
    same(world.rows(stored + "shop.custseg.latest_models"), expected, "features of the model")
    path = f"made.{draw.choice(['json', 'parquet'])}"
    custseg_duck.export_model(con, path)
    same(custseg_duck.import_model(con, path, name="imported"), ("imported", 1), "import")
    imported = stored + "shop.custseg.latest_models where name = 'imported'"
    same(world.rows(imported), expected, "features of the imported model")
    Path(path).unlink()
    told = world.rows("select distinct feature from shop.custseg.segment_profiles")
    same({feature for (feature,) in told} >= {name, second}, True, f"profiles {told}")
    reasons = world.rows("select feature, reason from custseg.explain('c1')")
    same({feature for feature, _ in reasons} >= {name, second}, True, f"reasons {reasons}")
    return world.results(), reasons, drift


def whole_command(world: World, name: str, draw: random.Random) -> object:
    """The command: a table, a mapped column and a run of this name."""
    query = f"select * rename (customer_id as {quote_name(name)}) from order_lines"
    with world.table(name, query):
        given = [
            "run", "-d", "shop.duckdb", "--map", f"customer_id={name}", "--name", name, "-k", "2",
            "--no-decision-rules", "--no-segment-rules", "--n-recommendations", "0",
            "--max-length", "2", "--min-support", "0.2", "--format", "json", "--",
            quote_name(name) if is_path(name) else name,
        ]  # fmt: skip
        shown = as_json(given)
    same(shown["run"], name, "the run's name in the command's JSON")
    same(customers(world, name), CUSTOMERS, "customers")
    return (
        shown,
        world.results(),
        command_output(["explain", "c1", "--name", name, "-d", "shop.duckdb"]),
    )


def several(world: World, name: str, draw: random.Random) -> object:
    """Tables of a mapping, or files in a folder, of these names."""
    lines = world.con.sql("select * exclude (product_name, department) from order_lines")
    lines = lines.to_arrow_table()
    products = pa.table({"product_id": [f"p{n}" for n in range(5)], "product_name": ["tea"] * 5})
    if draw.random() < 0.5:
        custseg_duck.run({name: lines, f"{name} of them": products}, con=world.con, **QUICK)
    else:
        folder = Path("made")
        folder.mkdir()
        try:
            pq.write_table(lines, folder / f"{name}.parquet")
            pq.write_table(products, folder / f"{name} of them.parquet")
        except (OSError, ValueError):  # no name of a file
            shutil.rmtree(folder)
            return None
        try:
            custseg_duck.run(folder, con=world.con, **QUICK)
        finally:
            shutil.rmtree(folder)
    same(customers(world), CUSTOMERS, "customers")
    ((said,),) = world.rows("select source from shop.custseg.runs order by run_id desc limit 1")
    same(name in said, True, f"the name in {said!r}")
    return world.results()


def database(world: World, name: str, draw: random.Random) -> object:
    """A database, or a schema, of this name is the current one."""
    con = world.con
    is_database = draw.random() < 0.5
    try:
        if is_database:
            con.execute(f"attach ':memory:' as {quote_name(name)}")
            con.execute(f"use {quote_name(name)}")
        else:
            con.execute(f"create schema shop.{quote_name(name)}")
            con.execute(f"use shop.{quote_name(name)}")
    except duckdb.Error:  # DuckDB has no such name, or has it already
        con.execute("use shop")
        return None
    before = world.rows("select count(*) from shop.custseg.runs")
    try:
        con.execute(f"create table own_lines as {lines_sql('s')}")
        custseg_duck.run("own_lines", con=con, **QUICK)
        found = {one for (one,) in world.rows("select customer_id from custseg.segments")}
        same(found, {f"s{number}" for number in range(12)}, "customers")
        custseg_duck.export(con, "made.duckdb")
        same(is_database, world.rows("select count(*) from shop.custseg.runs") == before, "runs")
        return world.rows("select one::varchar from custseg.customer_features as one")
    finally:
        con.execute("use shop")
        con.execute(f"{'detach' if is_database else 'drop schema shop.'}{quote_name(name)}"
                    + ("" if is_database else " cascade"))  # fmt: skip
        Path("made.duckdb").unlink(missing_ok=True)


# They take a second or two each
RUNS: tuple[Door, ...] = (
    source, columns, run_name, values, features, whole_command, several, database,
)  # fmt: skip
