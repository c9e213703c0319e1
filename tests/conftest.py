"""What the tests share."""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import custseg_duck
from custseg_duck import demo
from tests import reports

DOCS = Path(__file__).parent.parent / "docs"

# Options of run for tests of what these do not touch: they are most of the time of a small run
QUICK: dict[str, Any] = {
    "decision_rules": False, "segment_rules": False, "n_recommendations": 0,
}  # fmt: skip


def seeds(n: int) -> range:
    """Of so many random cases all under ``make fuzz``, and otherwise a quarter."""
    return range(n if is_thorough() else n // 4)


def is_thorough() -> bool:
    """Whether time does not matter: under ``make fuzz``."""
    return int(os.environ.get("CUSTSEG_EXAMPLES", "25")) > 100


def program(name: str) -> Any:
    """The module of a program in docs/."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the SQL surface: copied in a third of the time that writing it takes."""
    path = tmp_path_factory.mktemp("loaded") / "shop.duckdb"
    custseg_duck.connect(path).close()
    return path


@pytest.fixture
def con(loaded: Path, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database with the SQL surface."""
    path = tmp_path / "of_the_test" / "shop.duckdb"
    path.parent.mkdir()
    shutil.copy(loaded, path)
    with custseg_duck.connect(path) as connection:
        yield connection


@pytest.fixture(scope="session")
def complete_journey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the Complete Journey as order_lines; copy it before writing."""
    path = tmp_path_factory.mktemp("complete_journey") / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        demo.make_order_lines(connection)
    return path


@pytest.fixture
def shop(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A small shop in the table order_lines: 60 customers of three kinds, 900 lines."""
    make_shop(con)
    return con


def make_shop(con: duckdb.DuckDBPyConnection) -> None:
    """Write the small shop."""
    con.execute("""
        create table order_lines as
        select
            customer as customer_id,
            customer * 100 + visit as order_id,
            (hash(customer, visit, line) % 12)::integer as product_id,
            timestamp '2024-01-01 09:00' + interval (visit * (1 + customer % 3) * 3) day
                + interval (hash(customer, visit) % 10) hour as ordered_at,
            1 + hash(visit, line) % 3 as quantity,
            (5 + customer % 3 * 20 + line)::decimal(10, 2) as amount,
            'department ' || (hash(customer, visit, line) % 4) as department,
            'product ' || (hash(customer, visit, line) % 12) as product_name,
        from range(60) as customers (customer)
        cross join range(5) as visits (visit)
        cross join range(3) as lines (line)
    """)


@pytest.fixture(scope="session")
def shops(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Databases with runs of all kinds of shops; copy them before writing."""
    folder = tmp_path_factory.mktemp("shops")
    found = {kind: folder / f"{kind}.duckdb" for kind in (*reports.KINDS, "hostile")}
    for kind in reports.KINDS:
        reports.make(kind, found[kind])
    shutil.copy(found["full"], found["hostile"])
    with duckdb.connect(str(found["hostile"])) as con:
        reports.make_hostile(con)
    return found


@pytest.fixture(scope="session")
def written(shops: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The reports of all kinds of shops, by read-only connections without anything loaded."""
    folder = tmp_path_factory.mktemp("reports")
    for kind, shop in shops.items():
        with duckdb.connect(str(shop), read_only=True) as con:
            title = reports.HOSTILE if kind == "hostile" else None
            path = custseg_duck.export_report(con, folder / f"{kind}.html", title=title)
            assert path == folder / f"{kind}.html"
    return {kind: folder / f"{kind}.html" for kind in shops}


def pytest_unconfigure() -> None:
    """Without hypothesis's callback: it keeps modules alive at exit, which DuckDB complains of."""
    gc.callbacks.clear()
