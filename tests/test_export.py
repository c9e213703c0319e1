"""A file to hand on: what is in it, and who can open it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

import custseg_duck
from custseg_duck import InputError, catalog
from custseg_duck.publishing import VIEWS


@pytest.fixture
def ran(shop: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The small shop with a run in it."""
    custseg_duck.run("order_lines", con=shop, k=3, min_support=0.02)
    return shop


def tables_of(con: duckdb.DuckDBPyConnection, schema: str = "custseg") -> set[str]:
    return {
        name
        for (name,) in con.execute(
            "select table_name from information_schema.tables "
            "where table_catalog = current_database() and table_schema = $schema",
            {"schema": schema},
        ).fetchall()
    }


def test_the_file_holds_the_same_rows_labels_and_comments(
    ran: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ran.execute("update custseg.segment_labels set label = 'Ours' where segment = 1")
    ran.execute("alter table custseg.segment_labels add column owner varchar default 'Ann'")
    path = tmp_path / "x.duckdb"
    assert custseg_duck.export(ran, path, tables=["order_lines"]) is None
    with duckdb.connect(str(path), read_only=True) as con:
        assert tables_of(con) == tables_of(ran)
        assert tables_of(con, "main") == {"order_lines"}
        for table in (*sorted(tables_of(con)), "main.order_lines"):
            name = table if "." in table else f"custseg.{table}"
            assert con.execute(f"from {name}").fetchall() == ran.execute(f"from {name}").fetchall()
        assert con.execute("select distinct label from custseg.labelled_segments "
                           "where segment = 1").fetchall() == [("Ours",)]  # fmt: skip
        comments = (
            "select function_name, comment from duckdb_functions() where schema_name = 'custseg' "
            "and database_name = current_database() order by all"
        )
        assert con.execute(comments).fetchall() == ran.execute(comments).fetchall()
        assert con.execute("select count(*) from custseg.help()").fetchall() == (
            ran.execute("select count(*) from custseg.help()").fetchall()
        )
    assert sorted(tmp_path.rglob("x.duckdb*")) == [path]


def test_the_file_scores_and_mines_in_a_plain_process(
    ran: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "x.duckdb"
    custseg_duck.export(ran, path, tables=["order_lines"])
    queries = (
        "select customer_id, segment from custseg.score('custseg.customer_features') order by all",
        "select items, support_count from custseg.frequent_itemsets('order_lines', "
        "min_support := 0.02) order by all",
        "select reason from custseg.explain(7) order by all",
        "select label, n_customers from custseg.decision_rules order by all",
    )
    program = (
        "import duckdb, json, sys; con = duckdb.connect(sys.argv[1], read_only=True); "
        "print(json.dumps([con.execute(q).fetchall() for q in sys.argv[2:]])); "
        "assert 'custseg_duck' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(path), *queries],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    expected = [ran.execute(query).fetchall() for query in queries]
    assert json.loads(done.stdout) == json.loads(json.dumps(expected))
    assert all(expected)


def test_the_storage_version_is_as_asked(ran: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    for asked in ("v1.0.0", "v1.4.0"):
        custseg_duck.export(ran, tmp_path / f"{asked}.duckdb", storage_version=asked)
        with duckdb.connect(str(tmp_path / f"{asked}.duckdb"), read_only=True) as con:
            ((tags,),) = con.execute(
                "select tags from duckdb_databases() where database_name = current_database()"
            ).fetchall()
            assert asked[:4] in tags["storage_version"]
    with pytest.raises(InputError, match=r"storage_version must be one that .*, got .v0.0.7"):
        custseg_duck.export(ran, tmp_path / "x.duckdb", storage_version="v0.0.7")
    assert not (tmp_path / "x.duckdb").exists()


def test_a_refresh_goes_on_from_an_exported_file(
    ran: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    custseg_duck.export(ran, tmp_path / "x.duckdb", tables=["order_lines"])
    with custseg_duck.connect(tmp_path / "x.duckdb") as con:
        assert custseg_duck.refresh(con=con).is_unchanged


def test_tables_may_be_of_any_name_and_temporary(
    ran: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ran.execute('create schema sales; create view sales."odd "" name" as select 1 as one')
    ran.execute("create temp table passing as select 2 as two")
    path = tmp_path / "it's x.duckdb"
    custseg_duck.export(ran, path, tables=['sales."odd "" name"', "passing"])
    with duckdb.connect(str(path), read_only=True) as con:
        assert con.execute('from "odd "" name"').fetchall() == [(1,)]
        assert con.execute("from passing").fetchall() == [(2,)]
    ran.execute("create table sales.order_lines as select 3 as three")
    with pytest.raises(InputError, match="a name each, got order_lines twice"):
        custseg_duck.export(ran, tmp_path / "y.duckdb",
                            tables=["order_lines", "sales.order_lines"])  # fmt: skip


def test_the_connection_is_as_it_was(ran: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    before = ran.execute("select current_database(), current_schema()").fetchall()
    databases = "select database_name from duckdb_databases() order by all"
    attached = ran.execute(databases).fetchall()
    custseg_duck.export(ran, tmp_path / "x.duckdb")
    with pytest.raises(InputError):
        custseg_duck.export(ran, tmp_path / "nosuch" / "x.duckdb")
    assert ran.execute("select current_database(), current_schema()").fetchall() == before
    assert ran.execute(databases).fetchall() == attached


def test_what_is_there_is_only_replaced_if_asked(
    ran: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "x.duckdb"
    path.write_text("precious")
    with pytest.raises(InputError, match=r"path must be new, got .*x.duckdb, which exists"):
        custseg_duck.export(ran, path)
    assert path.read_text() == "precious"
    custseg_duck.export(ran, path, overwrite=True)
    custseg_duck.export(ran, path, overwrite=True)
    with duckdb.connect(str(path), read_only=True) as con:
        assert con.execute("select count(*) from custseg.segments").fetchall() == [(60,)]


def test_a_failure_leaves_nothing_and_what_was_there(
    ran: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    path = folder / "x.duckdb"
    path.write_text("precious")
    ran.execute("create view broken as select error('it broke') as one")
    with pytest.raises(InputError, match=r"cannot write .*it broke"):
        custseg_duck.export(ran, path, tables=["broken"], overwrite=True)
    assert [(file.name, file.read_text()) for file in folder.iterdir()] == [
        ("x.duckdb", "precious")
    ]


def test_nothing_stays_in_a_log_that_is_left_behind(
    ran: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ran.execute("pragma disable_checkpoint_on_shutdown; set checkpoint_threshold = '1TB'")
    custseg_duck.export(ran, tmp_path / "x.duckdb")
    with duckdb.connect(str(tmp_path / "x.duckdb"), read_only=True) as con:
        assert con.execute("select count(*) from custseg.segments").fetchall() == [(60,)]


def test_what_a_killed_export_left_is_removed_a_day_later(
    ran: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    day_before = time.time() - 25 * 60 * 60
    old = [tmp_path / f".x.duckdb.custseg_0123abcd{suffix}" for suffix in ("", ".wal")]
    kept = [
        tmp_path / name
        for name in (".x.duckdb.custseg_notes", ".y.duckdb.custseg_0123abcd", "x.duckdb.bak")
    ]
    for file in (*old, *kept):
        file.touch()
        os.utime(file, (day_before, day_before))
    fresh = tmp_path / ".x.duckdb.custseg_89abcdef"  # of an export that may be going on
    fresh.touch()
    custseg_duck.export(ran, tmp_path / "x.duckdb")
    assert not any(file.exists() for file in old)
    assert all(file.exists() for file in (*kept, fresh))


def test_a_connection_without_the_functions_exports_too(
    ran: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ((place,),) = ran.execute("select path from duckdb_databases() "
                              "where database_name = current_database()").fetchall()  # fmt: skip
    ran.close()
    with duckdb.connect(place) as plain:
        custseg_duck.export(plain, tmp_path / "x.duckdb")
    with duckdb.connect(str(tmp_path / "x.duckdb"), read_only=True) as con:
        assert con.execute("select count(*) from custseg.segments").fetchall() == [(60,)]


def test_a_place_that_cannot_be_is_refused(ran: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    opened = ran.execute("select path from duckdb_databases() where path is not null").fetchall()
    for path, message in (
        (tmp_path / "custseg.duckdb", "must not be called custseg"),
        (Path(opened[0][0]), "must be another database than those that are open"),
        (tmp_path, "path must be new"),
    ):
        with pytest.raises(InputError, match=message):
            custseg_duck.export(ran, path, overwrite=True)
    with pytest.raises(InputError, match="must be a table or view that exists, got 'zork'"):
        custseg_duck.export(ran, tmp_path / "x.duckdb", tables=["zork"])
    ran.execute("begin")
    with pytest.raises(InputError, match="outside a transaction"):
        custseg_duck.export(ran, tmp_path / "x.duckdb")
    ran.execute("rollback")
    with custseg_duck.connect() as empty, pytest.raises(InputError, match="must hold a run"):
        custseg_duck.export(empty, tmp_path / "x.duckdb")


def test_views_are_those_whose_tables_there_are(tmp_path: Path) -> None:
    with custseg_duck.connect() as con:
        con.execute("create table own as select i as customer_id, i % 5 as a, i * i as b "
                    "from range(40) as r (i)")  # fmt: skip
        custseg_duck.run(features="own", con=con, k=2, decision_rules=False)
        custseg_duck.export(con, tmp_path / "x.duckdb")
    with duckdb.connect(str(tmp_path / "x.duckdb"), read_only=True) as con:
        found = tables_of(con)
        assert "decision_rules" not in found
        for view in found & set(catalog.VIEWS):
            con.execute(f"from custseg.{view}").fetchall()
        assert {view for view, table in VIEWS.items() if table in found} == (
            found & set(catalog.VIEWS)
        )
