"""A database, what lies beside it, and how it is opened under a setting."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

import custseg_duck

# Letters that a collation would take for the same, an unknown value, and a return
LINES = """
    create table order_lines as
    select
        {first} + customer as customer_id,
        (customer * 100 + visit)::integer as order_id,
        ['tea', 'Tea', 'TEA', 'café', 'cafe', 'milk', 'Milk', 'x'][
            1 + (hash(customer % 3, visit, line) % 8)::integer] as product_id,
        timestamp '2024-01-01 09:30' + interval (visit * (1 + customer % 3) * 3) day as ordered_at,
        case when hash(customer, line) % 17 = 0 then -1 else 1 + line end as quantity,
        (5 + customer % 3 * 20 + line)::decimal(10, 2) as amount,
        case when hash(customer, visit) % 11 > 0 then
            ['Drinks', 'drinks', 'food'][1 + (hash(customer, visit, line) % 3)::integer]
        end as department,
        product_id as category,
        product_id as product_name,
    from range(30) as customers (customer)
    cross join range(4) as visits (visit)
    cross join range(3) as lines (line)
"""
OPTIONS: dict[str, Any] = {"k": 3, "min_support": 0.05, "n_recommendations": 2}


class Setting(NamedTuple):
    """How a database is opened, and what is said to it then."""

    config: dict[str, Any]
    statements: tuple[str, ...] = ()
    place: str = "itself"  # or attached, read-only, memory, old


def _set(*statements: str, **config: Any) -> Setting:
    return Setting(config, tuple(f"set {one}" for one in statements))


SETTINGS: dict[str, Setting] = {
    "no external access": _set("enable_external_access = false"),
    "no external access from the start": _set(enable_external_access=False),
    "locked": _set("lock_configuration = true"),
    "locked, no external access": _set(
        "enable_external_access = false", "lock_configuration = true"
    ),
    "no local files": _set("disabled_filesystems = 'LocalFileSystem'"),
    "no extensions": _set(
        allow_community_extensions=False, autoinstall_known_extensions=False,
        autoload_known_extensions=False,
    ),
    "no replacements": _set("python_enable_replacements = false"),
    "all of these": _set(
        "python_enable_replacements = false", "enable_external_access = false",
        "disabled_filesystems = 'LocalFileSystem'", "lock_configuration = true", threads=1,
        allow_community_extensions=False, autoinstall_known_extensions=False,
        autoload_known_extensions=False,
    ),
    "read-only": Setting({}, place="read-only"),
    "read-only and locked": Setting(
        {}, ("set enable_external_access = false", "set lock_configuration = true"), "read-only"
    ),
    "attached": Setting({}, place="attached"),
    "attached read-only": Setting({}, place="attached read-only"),
    "in memory": Setting({}, place="memory"),
    "an old file": Setting({}, place="old"),
    "a schema of the user": Setting({}, ("use sales",)),
    "a search path": _set("search_path = 'sales,main'"),
    "one thread": _set(threads=1),
    "many threads": _set(threads=7),
    "little memory": _set(memory_limit="200MB"),
    "no temporary files": _set("temp_directory = ''"),
    "nulls first": _set("default_null_order = 'nulls_first'", "default_order = 'desc'"),
    "a collation": _set("default_collation = 'nocase'"),
    "a collation without accents": _set("default_collation = 'noaccent'"),
    "a time zone": _set("timezone = 'Asia/Kolkata'"),
    "another time zone": _set("timezone = 'America/St_Johns'"),
    "another calendar": _set("calendar = 'buddhist'"),
    "errors as JSON": _set("errors_as_json = true"),
    "whole division": _set("integer_division = true"),
    "no infinity": _set("ieee_floating_point_ops = false"),
    "any order": _set("preserve_insertion_order = false"),
    "lower-case names": _set("preserve_identifier_case = false"),
    "any subquery": _set("scalar_subquery_error_on_multiple_rows = false"),
    "no optimizer": Setting({}, ("pragma disable_optimizer",)),
    "verified": Setting({}, ("pragma enable_verification",)),
    "large Arrow buffers": _set("arrow_large_buffer_size = true", "arrow_output_list_view = true"),
    "lossless Arrow": _set("arrow_lossless_conversion = true"),
    "profiled": _set("enable_profiling = 'no_output'"),
    "counted in small hash tables": _set("perfect_ht_threshold = 0"),
    "a transaction": Setting({}, ("begin",)),
    "a failed transaction": Setting({}, ("begin", "select error('no')")),
}  # fmt: skip


def make_template(folder: Path) -> None:
    """The database file and what lies beside it."""
    with custseg_duck.connect(folder / "shop.duckdb") as con:
        con.execute(LINES.format(first=0))
        custseg_duck.run("order_lines", con=con, **OPTIONS)
        custseg_duck.export_model(con, folder / "model.json")
        con.execute(f"copy order_lines to '{folder / 'lines.parquet'}'")
        con.execute("create schema sales; use sales")
        con.execute(LINES.format(first=1000))
        for table in ("segments", "customer_features", "models", "itemsets", "rfm_names"):
            con.execute(f"create table sales.{table} as select 'decoy' as run_name")
        con.execute("use shop.main")
        ((tables,),) = con.execute(
            'select list(format(\'create table target."{}"."{}" as from shop."{}"."{}"\', '
            "schema_name, table_name, schema_name, table_name)) from duckdb_tables() "
            "where database_name = 'shop'"
        ).fetchall()
        con.execute(f"attach '{folder / 'old.duckdb'}' as target (storage_version 'v0.10.0')")
        con.execute("create schema target.custseg; create schema target.sales")
        for statement in tables:
            con.execute(statement)
        con.execute("use target")
        with con.cursor() as other:  # views come by a run, which has them made anew
            other.execute("use target")
            custseg_duck.load(other)
            custseg_duck.run("main.order_lines", con=other, **OPTIONS)
        con.execute("use shop")
        con.execute("detach target")


@contextlib.contextmanager
def opened(setting: Setting, template: Path, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the database under a setting."""
    for path in template.iterdir():
        if path.is_file():
            shutil.copy(path, folder / path.name)
    file = folder / ("old.duckdb" if setting.place == "old" else "shop.duckdb")
    if setting.place in ("itself", "old"):
        con = custseg_duck.connect(file, **setting.config)
    elif setting.place == "read-only":
        con = custseg_duck.connect(file, read_only=True, **setting.config)
    else:
        con = custseg_duck.connect(**setting.config)
    with con:
        if setting.place.startswith("attached"):
            con.execute(LINES.format(first=1000))
            mode = " (read_only)" if "read-only" in setting.place else ""
            con.execute(f"attach '{file}' as other{mode}")
            con.execute("use other")
        elif setting.place == "memory":
            con.execute(f"attach '{file}' as given (read_only)")
            con.execute("create table order_lines as from given.main.order_lines")
            custseg_duck.run("order_lines", con=con, **OPTIONS)
            con.execute("detach given")
        for statement in setting.statements:
            with contextlib.suppress(duckdb.InvalidInputException):  # the one that is to fail
                con.execute(statement).fetchall()
        yield con
