"""An exported file in Node, without Python."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.clients.shared import ROOT, blocks, same

FOLDER = ROOT / "tests" / "clients" / "node"


def node(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    if not (FOLDER / "node_modules").exists():
        pytest.fail(f"{FOLDER} must have its packages: npm ci --prefix tests/clients/node")
    return subprocess.run(
        ["node", *arguments], cwd=FOLDER, capture_output=True, text=True, check=False, timeout=60
    )


def in_python(database: Path, statement: str) -> list[dict[str, Any]]:
    with duckdb.connect(database, read_only=True) as con:
        con.execute("create temp table new_lines as from order_lines where customer_id < 10")
        con.execute(
            "create temp table newcomers as "
            "from custseg.customer_features('new_lines', as_of := date '2024-03-01')"
        )
        result = con.execute(statement)
        names = [column for column, *_ in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def test_the_page_shows_the_script() -> None:
    assert blocks("node", "js") == [(FOLDER / "read.mjs").read_text()]


def test_the_page_names_the_version_that_is_tried() -> None:
    package = json.loads((FOLDER / "package.json").read_text())
    (version,) = package["dependencies"].values()
    assert f"npm install @duckdb/node-api@{version}\n" in blocks("node", "sh")[0]


def test_the_script_prints_what_python_reads(team: Path) -> None:
    done = node("read.mjs", team)
    assert (done.returncode, done.stderr) == (0, "")
    got = json.loads(done.stdout)
    assert len(got["segments"]) == 3
    assert all(got.values())
    expected = {
        "segments": "select label, count(*) as customers from custseg.labelled_segments "
        "group by label order by label",
        "customer": "select segment, label from custseg.labelled_segments where customer_id = 7",
        "rules": "select antecedents, consequents, confidence, lift from custseg.top_rules "
        "order by lift desc, antecedents, consequents limit 10",
        "scored": "select customer_id::varchar as customer_id, segment "
        "from custseg.score('newcomers') order by customer_id::bigint",
        "itemsets": "select items, support_count "
        "from custseg.frequent_itemsets('order_lines', min_support := 0.05) order by items",
        "reasons": "select reason from custseg.explain(7) order by rank limit 3",
    }
    assert got.keys() == expected.keys()
    for name, statement in expected.items():
        assert same(got[name], in_python(team, statement)), name


def test_an_unknown_model_is_refused_in_our_words(team: Path) -> None:
    done = node("read.mjs", team, "zork")
    assert done.returncode != 0
    assert "model_name must be one of the stored ones (default version 1)" in done.stderr
