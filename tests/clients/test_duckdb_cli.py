"""An exported file in DuckDB's command line, of another version than Python's, without Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.clients.shared import ROOT, blocks, same

VENV = ROOT / os.environ.get("CUSTSEG_CLI_VENV", ".venv-cli")
SEPARATOR = "----- next statement"


@pytest.fixture(scope="session")
def program() -> Path:
    found = shutil.which("duckdb", path=VENV / "bin")
    if found is None:
        pytest.fail(f"{VENV} must be a virtual environment with duckdb-cli (CUSTSEG_CLI_VENV)")
    return Path(found)


def executed(program: Path, database: Path, *statements: str) -> list[list[dict[str, Any]]]:
    """The rows of each statement, in one process."""
    script = f"\n.print {SEPARATOR}\n".join(f"{statement};" for statement in statements)
    done = subprocess.run(
        [program, "-readonly", "-bail", "-json", database],
        input=script,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(text) if text.strip() else [] for text in done.stdout.split(SEPARATOR)]


def failure(program: Path, database: Path, statement: str) -> str:
    done = subprocess.run(
        [program, "-readonly", database, "-c", statement],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    return done.stderr


def in_python(database: Path, *statements: str) -> list[list[dict[str, Any]]]:
    """The same in Python's DuckDB, without custseg_duck on the connection."""
    rows = []
    with duckdb.connect(database, read_only=True) as con:
        for statement in statements:
            result = con.execute(statement)
            names = [column for column, *_ in result.description]
            is_query = not statement.startswith("create")
            rows.append(
                [dict(zip(names, row, strict=True)) for row in result.fetchall() if is_query]
            )
    return rows


def test_every_statement_of_the_page_gives_what_it_gives_in_python(
    program: Path, team: Path
) -> None:
    statements = [
        statement.query.strip().rstrip(";")
        for block in blocks("duckdb-cli", "sql")
        for statement in duckdb.extract_statements(block)
    ]
    got = executed(program, team, *statements)
    assert same(got, in_python(team, *statements))
    *counts, n_reasons, n_found = map(len, got)
    assert counts == [3, 10, 0, 0, 13, 0, 10]
    assert n_reasons > 3
    assert n_found > 3


def test_the_tables_and_views_hold_the_same(program: Path, team: Path) -> None:
    names = in_python(
        team,
        "select table_name as n from information_schema.tables where table_schema = 'custseg'",
    )[0]
    counts = [f"select count(*) as n from custseg.{name['n']}" for name in names]
    assert len(names) > 20
    assert executed(program, team, *counts) == in_python(team, *counts)


def test_all_customers_are_scored_as_they_were(program: Path, team: Path) -> None:
    assert executed(
        program,
        team,
        "create temp table again as select department_share, * exclude (run_name, department_share)"
        " from custseg.customer_features",
        "select count(*) as customers, "
        "count(*) filter (scored.segment = stored.segment)::integer as the_same "
        "from custseg.score('again') as scored "
        "inner join custseg.segments as stored on scored.customer_id = stored.customer_id",
    )[1] == [{"customers": 60, "the_same": 60}]


def test_the_case_expression_can_be_pasted(program: Path, team: Path) -> None:
    (shell,) = (block for block in blocks("duckdb-cli", "sh") if "case_expression" in block)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", shell],
        env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    by_tree = {row["customer_id"]: row["segment"] for row in json.loads(done.stdout)}
    segments, trees = in_python(
        team,
        "select customer_id, segment from custseg.segments",
        "select fidelity from custseg.decision_trees",
    )
    agreeing = [by_tree[row["customer_id"]] == row["segment"] for row in segments]
    assert len(by_tree) == len(segments) == 60
    assert sum(agreeing) / 60 == trees[0]["fidelity"] > 0.9


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "from custseg.score('custseg.customer_features', 'zork')",
            "model_name must be one of the stored ones (default version 1) and name one version, "
            "got zork",
        ),
        (
            "from custseg.frequent_itemsets('order_lines', min_support := 2)",
            "min_support must be in (0, 1], got 2",
        ),
        (
            "select custseg.kmeans_fit(features, transform := transform) "
            "from custseg.feature_vectors('custseg.customer_features')",
            "Function with name custseg_kmeans_fit does not exist",
        ),
    ],
)
def test_what_cannot_be_done_says_so(
    program: Path, team: Path, statement: str, message: str
) -> None:
    assert message in failure(program, team, statement)
