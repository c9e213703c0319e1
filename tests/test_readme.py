"""Every block of SQL and Python in the README runs."""

import re
from pathlib import Path

import duckdb
import pytest

import custseg_duck

README = (Path(__file__).parent.parent / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_sql_runs_in_order(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=2)
    assert len(blocks("sql")) >= 3
    for block in blocks("sql"):
        for statement in duckdb.extract_statements(block):
            rows = shop.execute(statement.query).fetchall()
            # of this shop no rule is significant
            assert rows or "p_value_bh" in statement.query or "top_rules" in statement.query


def test_the_python_runs(
    shop: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    shop.execute("attach 'shop.duckdb' as file; create table file.order_lines as from order_lines")
    shop.execute("detach file")
    for block in blocks("python"):
        exec(block, {})
    assert "60 customers in 3 segments" in capsys.readouterr().out
