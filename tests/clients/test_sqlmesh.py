"""SQLMesh's models over an exported file, in SQL alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.clients.shared import ROOT, blocks

PROJECT = ROOT / "examples" / "sqlmesh_shop"
PLAN, AGAIN = blocks("sqlmesh", "sh")[1:]


@pytest.fixture
def project(exported: Path, tmp_path: Path) -> Path:
    """The example with the exported shop in it."""
    folder = tmp_path / "sqlmesh_shop"
    folder.mkdir()
    shutil.copy(PROJECT / "config.yaml", folder)
    shutil.copytree(PROJECT / "models", folder / "models")
    shutil.copy(exported, folder / "shop.duckdb")
    return folder


def shell(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euc", script],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(folder / "shop.duckdb") as con:
        return con.execute(query).fetchall()


def test_the_page_shows_the_model() -> None:
    (shown,) = blocks("sqlmesh", "sql")
    model = (PROJECT / "models" / "spring_customers.sql").read_text()
    assert " ".join(shown.split()) in " ".join(model.split())


def test_the_models_hold_what_custseg_holds(project: Path) -> None:
    done = shell(project, PLAN)
    assert done.returncode == 0, done.stdout
    assert "small baskets" in done.stdout
    revenue = rows(project, "from reports.segment_revenue order by label")
    assert revenue == rows(
        project,
        "select label, count(*), sum(monetary) from custseg.segments "
        "inner join custseg.segment_labels using (run_name, segment) "
        "inner join custseg.customer_features using (run_name, customer_id) "
        "group by label order by label",
    )
    assert len(revenue) == 3
    assert ([20, 21], ["product 20", "product 21"], 100) in rows(
        project, "from reports.bought_together"
    )
    # by hand: the features as of that day, and their nearest centres
    spring = "from custseg.customer_features('order_lines', as_of := timestamp '2024-03-01')"
    with duckdb.connect(project / "shop.duckdb") as con:
        con.execute(f"create temp table spring as {spring}")
        scored = con.execute("select customer_id, segment from custseg.score('spring') order by 1")
        expected = scored.fetchall()
    assert len(expected) == 60
    assert rows(project, "from reports.spring_customers order by customer_id") == expected


def test_reports_follow_the_shop(project: Path) -> None:
    assert shell(project, PLAN).returncode == 0
    rows(project, "update custseg.segment_labels set label = 'Ours' where segment = 1")
    assert ("Ours",) not in rows(project, "select label from reports.segment_revenue")
    done = shell(project, AGAIN)
    assert done.returncode == 0, done.stdout
    assert ("Ours",) in rows(project, "select label from reports.segment_revenue")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "select items from custseg.frequent_itemsets('order_lines', min_support := 2)",
            "min_support must be in (0, 1], got 2",
        ),
        (
            "select custseg.kmeans_fit(features, transform := transform) as model "
            "from custseg.feature_vectors('custseg.customer_features')",
            "custseg_kmeans_fit does not exist",
        ),
    ],
)
def test_a_model_that_cannot_be_says_why(project: Path, query: str, message: str) -> None:
    shutil.rmtree(project / "models")
    (project / "models").mkdir()
    model = f"MODEL (name reports.wrong, kind FULL);\n\n{query}\n"
    (project / "models" / "wrong.sql").write_text(model)
    done = shell(project, "sqlmesh plan --auto-apply")
    assert done.returncode != 0
    assert message in " ".join(done.stdout.split())
