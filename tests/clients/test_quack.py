"""A server with custseg_duck, and clients in other processes that have DuckDB alone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest

from tests.clients.shared import blocks

SERVER, CLIENT = blocks("quack", "python")
TOKEN = "a token for these tests"


@pytest.fixture(scope="module")
def port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


@pytest.fixture(scope="module")
def server(
    exported: Path, port: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[subprocess.Popen[str]]:
    """The page's server, beside a shop.duckdb."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(exported, folder / "shop.duckdb")
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER.replace("9494", port)],
        cwd=folder,
        env={**os.environ, "QUACK_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "serving\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def client(server: subprocess.Popen[str], port: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of this process, attached to the server as r."""
    assert server.poll() is None
    with duckdb.connect() as con:
        load_quack(con)
        con.execute(f"attach 'quack:127.0.0.1:{port}' as r (token $token)", {"token": TOKEN})
        yield con


def load_quack(con: duckdb.DuckDBPyConnection) -> None:
    for name in ("httpfs", "quack"):
        place = f"extensions/v{duckdb.__version__}/{name}.duckdb_extension"
        con.load_extension(str(files(f"duckdb_extension_{name}") / place))


def run_client(port: str, token: str) -> subprocess.CompletedProcess[str]:
    """The page's client, in a process of its own, with nothing but DuckDB."""
    return subprocess.run(
        [sys.executable, "-c", CLIENT.replace("9494", port)],
        cwd="/",
        env={**os.environ, "QUACK_TOKEN": token},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_client_of_the_page_reads_and_scores(
    client: duckdb.DuckDBPyConnection, port: str, exported: Path
) -> None:
    done = run_client(port, TOKEN)
    assert done.returncode == 0, done.stderr
    with duckdb.connect(exported, read_only=True) as con:
        labels = con.execute("select distinct label from custseg.segment_labels").fetchall()
        segments = dict(con.execute("select customer_id, segment from custseg.segments").fetchall())
    assert len(labels) == 3
    assert all(label in done.stdout for (label,) in labels)
    scored = client.execute(
        "from r.query('select customer_id, segment from custseg.score(''newcomers'')')"
    ).fetchall()
    assert len(scored) == 5
    assert all(segments[customer] == segment for customer, segment in scored)
    assert all(f"│ {customer:11} │ {segment:7} │" in done.stdout for customer, segment in scored)


def test_tables_arrive_as_they_are(client: duckdb.DuckDBPyConnection, exported: Path) -> None:
    with duckdb.connect(exported, read_only=True) as con:
        for table in ("segments", "rules", "models", "customer_features"):
            expected = con.execute(f"from custseg.{table} order by all").fetchall()
            got = client.execute(f"from r.query('from custseg.{table}') order by all").fetchall()
            assert got == expected
            assert expected


def test_the_server_fits_for_its_clients(client: duckdb.DuckDBPyConnection) -> None:
    assert client.execute("""
        from r.query($$
            select custseg.kmeans_fit(features, k := 3, transform := transform).n_rows
            from custseg.feature_vectors('custseg.customer_features')
        $$)
    """).fetchall() == [(60,)]


def test_a_wrong_token_is_refused(server: subprocess.Popen[str], port: str) -> None:
    done = run_client(port, "another token")
    assert done.returncode != 0
    assert "Authentication failed" in done.stderr
    assert done.stdout == ""
    assert server.poll() is None


def test_what_is_wrong_is_told_in_our_words(client: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error, match="model_name must be one of the stored ones"):
        client.execute(
            "from r.query($$from custseg.score('custseg.customer_features', 'zork')$$)"
        ).fetchall()
    with pytest.raises(duckdb.CatalogException, match="rfm does not exist"):
        client.execute("from r.custseg.rfm('order_lines')")


def test_a_table_outside_main_loses_its_schema(client: duckdb.DuckDBPyConnection) -> None:
    """The page's limit: when this fails, it is gone."""
    with pytest.raises(duckdb.Error, match="Table with name segments does not exist"):
        client.execute("from r.custseg.segments").fetchall()
