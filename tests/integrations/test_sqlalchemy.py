"""SQLAlchemy's connections, its reflection, and pandas on top."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool, StaticPool

import custseg_duck
from custseg_duck.integrations.sqlalchemy import register
from tests.integrations.conftest import ROOT

FIT = sa.text(
    "select len(custseg.kmeans_fit(features, k := 2, transform := transform).components) "
    "from custseg.feature_vectors('custseg.customer_features')"
)


@pytest.fixture
def engine(shop: Path) -> sa.Engine:
    return register(sa.create_engine(f"duckdb:///{shop}"))


def test_macros_and_fits_are_there_on_every_connection(engine: sa.Engine) -> None:
    with engine.connect() as one, engine.connect() as other:
        for connection in (one, other):
            assert connection.execute(FIT).scalar_one() == 2
    found = sa.text("select count(*) from custseg.rfm('order_lines')")
    with ThreadPoolExecutor(4) as threads:

        def count(_: int) -> int:
            with engine.connect() as connection:
                return int(connection.execute(found).scalar_one())

        assert list(threads.map(count, range(12))) == [60] * 12
    engine.dispose()


@pytest.mark.parametrize("pool", [NullPool, StaticPool])
def test_with_other_pools(shop: Path, pool: type[sa.Pool]) -> None:
    engine = register(sa.create_engine(f"duckdb:///{shop}", poolclass=pool))
    for _ in range(3):
        with engine.begin() as connection:
            assert connection.execute(FIT).scalar_one() == 2
    engine.dispose()


def test_tables_are_reflected(engine: sa.Engine) -> None:
    inspector = sa.inspect(engine)
    assert {"segments", "segment_labels", "rules"} <= set(inspector.get_table_names("custseg"))
    assert "labelled_segments" in inspector.get_view_names("custseg")
    segments = sa.Table("segments", sa.MetaData(), schema="custseg", autoload_with=engine)
    assert {"customer_id", "segment", "distance"} <= set(segments.columns.keys())
    query = sa.select(segments.c.segment, sa.func.count()).group_by(segments.c.segment)
    with engine.connect() as connection:
        assert sum(n for _, n in connection.execute(query)) == 60


def test_pandas_reads_a_macro_with_parameters(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        frame = pd.read_sql(
            sa.text(
                "select customer_id, rfm_cell from custseg.rfm(:lines) where frequency >= :least"
            ),
            connection,
            params={"lines": "order_lines", "least": 5},
        )
    assert list(frame.columns) == ["customer_id", "rfm_cell"]
    assert len(frame) == 60


def test_a_run_on_the_engines_connection(engine: sa.Engine) -> None:
    raw = engine.raw_connection()
    native = raw.driver_connection.execute("select 1")
    result = custseg_duck.run("order_lines", con=native, k=2, name="by_engine")
    assert "60 customers in 2 segments" in str(result)
    raw.close()
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text("select count(*) from custseg.segments where run_name = 'by_engine'")
        )
        assert rows.scalar_one() == 60


def test_nothing_is_written_unless_it_may_be(bare: Path) -> None:
    engine = register(sa.create_engine(f"duckdb:///{bare}"), persist=False)
    with engine.connect() as connection:
        assert connection.execute(
            sa.text("select count(*) from duckdb_schemas() where schema_name = 'custseg'")
        ).scalar_one() == 0  # fmt: skip
    engine.dispose()
    read_only = register(sa.create_engine(f"duckdb:///{bare}", connect_args={"read_only": True}))
    with pytest.raises(custseg_duck.NotLoadedError, match="read-only one with none"):
        read_only.connect()


def test_engines_of_others_are_refused() -> None:
    with pytest.raises(custseg_duck.InputError, match=r"must be one of DuckDB.*got one of sqlite"):
        register(sa.create_engine("sqlite://"))


def test_the_page_runs(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs" / "integrations" / "sqlalchemy.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    assert "60" in capsys.readouterr().out
    # the page let go of the file: another process may write to it
    program = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('create table mine (a int)')"
    subprocess.run([sys.executable, "-c", program, str(shop)], check=True)
