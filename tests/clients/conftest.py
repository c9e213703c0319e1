"""A shop with a finished run, in the files that other clients get.

The tests of Python's clients run in a virtual environment each, with this package and
``requirements/<client>.txt``; those of foreign programs in the usual one, with DuckDB's command
line in ``CUSTSEG_CLI_VENV`` (``.venv-cli``) and Node's packages in ``tests/clients/node``.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import custseg_duck
from tests.conftest import make_shop


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small shop with products 20 and 21 together in a third of its orders, as a file."""
    path = tmp_path_factory.mktemp("exported") / "team.duckdb"
    with custseg_duck.connect() as con:
        make_shop(con)
        con.execute("""
            insert into order_lines by name
            select distinct
                customer_id, order_id, ordered_at, unnest([20, 21]) as product_id,
                1 as quantity, 4 as amount, 'department 4' as department,
                'product ' || product_id as product_name,
            from (select distinct customer_id, order_id, ordered_at from order_lines)
            where order_id % 3 = 0
        """)
        custseg_duck.run("order_lines", con=con, k=3, min_support=0.02)
        custseg_duck.export(con, path, tables=["order_lines"])
    return path


@pytest.fixture
def team(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The exported file as team.duckdb in the current folder."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copy(exported, tmp_path / "team.duckdb"))


@pytest.fixture
def shop(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same as shop.duckdb, the shop's own database."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copy(exported, tmp_path / "shop.duckdb"))
