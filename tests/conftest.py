"""What the tests share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import custseg_duck
from custseg_duck import demo


def seeds(n: int) -> range:
    """Of so many random cases all under ``make fuzz``, and otherwise a third."""
    return range(n if int(os.environ.get("CUSTSEG_EXAMPLES", "25")) > 100 else n // 3)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database in memory with the SQL surface."""
    with custseg_duck.connect() as connection:
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


def pytest_unconfigure() -> None:
    """Without hypothesis's callback: it keeps modules alive at exit, which DuckDB complains of."""
    gc.callbacks.clear()
