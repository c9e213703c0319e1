"""The example project of dbt, built as its users would, against what run() leaves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import custseg_duck
from custseg_duck.integrations.dbt import Plugin

from tests.integrations.conftest import ROOT  # isort: skip

PROJECT = ROOT / "examples" / "dbt_shop"
SAME = {  # the project's table, run's, and the columns
    "features": ("customer_features", "customer_id, frequency, monetary, entropy"),
    "segments": ("segments", "customer_id, segment"),
    "centroids": ("centroids", "segment, feature, department, value, z_score"),
    "itemsets": ("itemsets", "items, support_count, is_closed"),
    "rules": ("rules", "antecedents, consequents, confidence, lift, p_value_bh"),
}


def dbt(folder: Path, *arguments: str, database: str = "shop.duckdb") -> tuple[int, str]:
    done = subprocess.run(
        [Path(sys.executable).parent / "dbt", "--no-use-colors", *arguments,
         "--profiles-dir", str(folder), "--project-dir", str(folder)],
        cwd=folder, capture_output=True, text=True, check=False,
        env=os.environ | {"SHOP_DATABASE": database, "DO_NOT_TRACK": "1"},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, built in a folder of its own."""
    folder = tmp_path_factory.mktemp("dbt") / "shop"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb"))
    code, output = dbt(folder, "build")
    assert code == 0, output
    assert "PASS=28 WARN=0 ERROR=0" in output
    return folder


def test_the_models_hold_what_a_run_leaves(project: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(project / "shop.duckdb"), read_only=True) as con:
        built = {
            table: con.execute(f"select {columns} from {table} order by all").fetchall()
            for table, (_, columns) in SAME.items()
        }
        labels = con.execute("select segment, label from segment_summary order by all").fetchall()
    with custseg_duck.connect(tmp_path / "run.duckdb") as con:
        columns = {
            "customer_id": "household", "order_id": "receipt", "product_id": "article",
            "ordered_at": "sold_at", "quantity": "pieces", "amount": "total",
            "product_name": "article_name",
        }  # fmt: skip
        custseg_duck.run(
            project / "data" / "till.csv", con=con, columns=columns, k=3, min_support=0.02,
            min_confidence=0.05,
        )  # fmt: skip
        for table, (theirs, chosen) in SAME.items():
            expected = con.execute(f"select {chosen} from custseg.{theirs} order by all").fetchall()
            assert built[table] == expected, table
            assert expected
        assert (
            labels
            == con.execute(
                "select segment, label from custseg.segment_labels order by all"
            ).fetchall()
        )


def test_building_again_changes_nothing(project: Path) -> None:
    def rows() -> list[object]:
        with duckdb.connect(str(project / "shop.duckdb"), read_only=True) as con:
            return con.execute("from segments order by all").fetchall()

    before = rows()
    code, output = dbt(project, "build")
    assert code == 0, output
    assert rows() == before


def test_dbt_knows_what_depends_on_what(project: Path) -> None:
    manifest = json.loads((project / "target" / "manifest.json").read_text())
    parents = {
        name.rpartition(".")[2]: {parent.rpartition(".")[2] for parent in found}
        for name, found in manifest["parent_map"].items()
        if name.startswith("model.")
    }
    assert parents["order_lines"] == {"till"}
    assert parents["segments"] == {"features", "model"}
    assert parents["recommendations"] == {"order_lines", "rules"}


def test_macros_are_only_written_where_they_may_be(
    bare: Path, con: duckdb.DuckDBPyConnection
) -> None:
    with duckdb.connect(str(bare)) as other:
        plugin = Plugin("custseg", {})
        with pytest.raises(custseg_duck.NotLoadedError, match=r"config: \{persist: true\}"):
            plugin.configure_connection(other)
        assert other.execute(
            "select count(*) from duckdb_schemas() where schema_name = 'custseg'"
        ).fetchall() == [(0,)]
        Plugin("custseg", {"persist": True}).configure_connection(other)
        plugin.configure_connection(other)  # now they are there
        assert other.execute("select count(*) from custseg.rfm('order_lines')").fetchall() == [
            (60,)
        ]
    plugin.configure_connection(con)
    with pytest.raises(custseg_duck.InputError, match="persist must be true or false, got 'yes'"):
        Plugin("custseg", {"persist": "yes"})
