"""The built-in help, and unload: what says what there is, and what removes it."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

import custseg_duck
from custseg_duck import InputError, QueryError, catalog, loading
from tests.test_portability import plainly


def catalog_of(con: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """Every schema, macro, table and view of the current database."""
    return con.execute(
        "select 'schema', schema_name, '' from duckdb_schemas() "
        "where database_name = current_database() "
        "union all select 'macro', schema_name, function_name from duckdb_functions() "
        "where database_name = current_database() "
        "union all select 'table', schema_name, table_name from duckdb_tables() "
        "union all select 'view', schema_name, view_name from duckdb_views() where not internal "
        "order by all"
    ).fetchall()


def test_help_tells_of_every_macro_how_to_call_it(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute("select name, kind, call, summary, takes, gives from custseg.help()")
    found = {name: entry for name, *entry in rows.fetchall()}
    assert sorted(found) == sorted(path.split("/")[1] for path in catalog.MACROS)
    assert all(None not in entry for entry in found.values())
    assert found["rfm"] == [
        "table macro",
        "custseg.rfm(lines, as_of := null, n_bins := 5)",
        "recency, frequency and monetary value of each customer, with scores.",
        "lines as order_lines takes them; as_of (default: the midnight after the last order); "
        "n_bins 2 to 9",
        found["rfm"][4],
    ]
    assert found["rfm"][4].startswith("customer_id, recency_days (>= 0, from the last")
    assert found["assign"][0] == "scalar macro"
    sources = con.execute("select source from custseg.help('centroid') where name = 'rfm'")
    assert sources.fetchall() == []


def test_what_help_says_can_be_typed(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=2)
    calls = {
        "custseg.rfm(lines, as_of := null, n_bins := 5)": "'order_lines', as_of := null, n_bins:=5",
        "custseg.rfm_names(n_bins := 5)": "",
    }
    known = shop.execute("select call from custseg.help('rfm')").fetchall()
    for call, arguments in calls.items():
        assert (call,) in known
        name = call.split("(")[0]
        assert shop.execute(f"from {name}({arguments})").fetchall()


def test_help_finds_by_name_and_by_what_it_does(con: duckdb.DuckDBPyConnection) -> None:
    def names(topic: str) -> set[str]:
        found = con.execute("select name from custseg.help($topic)", {"topic": topic})
        return {name for (name,) in found.fetchall()}

    assert "fisher_p_value" in names("FISHER")
    assert "explain" in names("what would move it")
    assert names("no such thing; drop table x") == set()


def test_parts_come_last(con: duckdb.DuckDBPyConnection) -> None:
    flags = [is_part for (is_part,) in con.execute("select is_part from custseg.help()").fetchall()]
    assert flags == sorted(flags)
    assert flags.count(True) == len(catalog.PARTS) > 0


def test_every_table_and_view_of_a_run_says_what_it_is(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k="auto")
    shop.execute("update order_lines set quantity = 2 where order_id = 100")
    custseg_duck.refresh(con=shop)
    rows = shop.execute(
        "select kind, name, call, summary from custseg.help() where kind in ('table', 'view')"
    ).fetchall()
    assert {name for kind, name, *_ in rows if kind == "table"} == set(catalog.TABLES)
    assert {name for kind, name, *_ in rows if kind == "view"} == set(catalog.VIEWS)
    assert all(call == f"custseg.{name}" and len(text) > 10 for _, name, call, text in rows)


def test_help_needs_no_python(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    custseg_duck.connect(path).close()
    assert plainly(path, "use shop", "select call from custseg.help('baskets') limit 1") == [
        ["custseg.baskets(lines, item := 'product_id')"]
    ]


def test_newer_macros_bring_their_comments(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create or replace macro custseg.version() as '0.0.1'")
    con.execute("create or replace macro custseg.rfm(lines) as table select 1")
    custseg_duck.load(con)
    assert con.execute("select summary from custseg.help('rfm') where name = 'rfm'").fetchall() == [
        ("recency, frequency and monetary value of each customer, with scores.",)
    ]


def test_unload_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as con:
        con.execute(
            "create table order_lines as select i % 9 as customer_id, i as order_id, "
            "i % (i % 9 + 2) as product_id, i % 7 + 0.5 as amount from range(200) as r (i)"
        )
        before = catalog_of(con)
        custseg_duck.load(con)
        custseg_duck.run("order_lines", con=con, k=2)
        assert catalog_of(con) != before
        custseg_duck.unload(con)
        assert catalog_of(con) == before
        custseg_duck.unload(con)
        custseg_duck.run("order_lines", con=con, k=2)


def test_unload_keeps_what_is_not_ours(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute(
        "create table custseg.mine as select 1 as a; create macro custseg.my_macro() as 2; "
        "create view custseg.segments as select 3 as b; "
        "create table custseg.rules as select 4 as c; create macro custseg.rfm(x) as x + 5; "
        "create or replace macro custseg.orders(lines) as table select 6 as d"
    )
    custseg_duck.unload(shop)
    assert shop.execute(
        "select a, custseg.my_macro(), b, c, custseg.rfm(1), d "
        "from custseg.mine, custseg.segments, custseg.rules, custseg.orders('x')"
    ).fetchall() == [(1, 2, 3, 4, 6, 6)]
    left = {name for kind, schema, name in catalog_of(shop) if schema == "custseg"}
    assert left == {"", "mine", "my_macro", "segments", "rules", "rfm", "orders"}


def test_unload_can_keep_the_results(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=2)
    custseg_duck.unload(shop, keep_tables=True)
    assert shop.execute("select count(*) from custseg.segments").fetchall() == [(60,)]
    assert not [1 for kind, schema, _ in catalog_of(shop) if (kind, schema) == ("macro", "custseg")]
    custseg_duck.load(shop)
    custseg_duck.unload(shop)


def test_unload_refuses_a_transaction_and_a_read_only_file(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with custseg_duck.connect(path) as con:
        con.execute("begin")
        with pytest.raises(InputError, match="outside a transaction"):
            custseg_duck.unload(con)
        con.execute("rollback")
    with custseg_duck.connect(path, read_only=True) as con:
        with pytest.raises(InputError, match="got a read-only one"):
            custseg_duck.unload(con)
        assert con.execute("select custseg.version()").fetchall()


def test_unload_removes_all_or_nothing(
    shop: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    custseg_duck.run("order_lines", con=shop, k=2)
    before = catalog_of(shop)
    drop, n_calls = loading.dropped_object, 0

    def fail_later(kind: str, name: str) -> str:
        nonlocal n_calls
        n_calls += 1
        return drop(kind, name) if n_calls < 20 else "select error('halfway')"

    monkeypatch.setattr(loading, "dropped_object", fail_later)
    with pytest.raises(QueryError, match=r"unload: .*halfway"):
        custseg_duck.unload(shop)
    assert catalog_of(shop) == before
