"""Macros and tables of custseg in the cells of a notebook."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from IPython.core.interactiveshell import InteractiveShell

from tests.clients.shared import ROOT, blocks, same


@pytest.fixture
def shell(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A notebook's kernel without the notebook, beside shop.duckdb."""
    monkeypatch.setenv("IPYTHONDIR", str(shop.parent / "ipython"))
    # JupySQL's module is called sql, like the folder of this repository
    elsewhere = [folder for folder in sys.path if Path(folder).resolve() != ROOT]
    monkeypatch.setattr(sys, "path", elsewhere)
    shell = InteractiveShell.instance()
    yield shell
    if "con" in shell.user_ns:
        shell.user_ns["con"].close()
    InteractiveShell.clear_instance()


def cell(shell: InteractiveShell, text: str) -> object:
    """What a cell shows."""
    result = shell.run_cell(text)
    result.raise_error()
    return result.result


def test_the_cells_of_the_page(shell: InteractiveShell, exported: Path) -> None:
    _, segments, _, _, loyal = (cell(shell, text) for text in blocks("jupysql", "python"))
    with duckdb.connect(exported, read_only=True) as con:
        counts = con.execute(
            "select label, count(*) from custseg.labelled_segments group by label order by label"
        ).fetchall()
        pairs = con.execute(
            "select items, support_count from custseg.itemsets "
            "where length = 2 and support >= 0.05 order by support_count desc, items"
        ).fetchall()
        ((n_loyal,),) = con.execute(
            "select count(*) from custseg.customer_features where frequency >= 3"
        ).fetchall()
    assert list(segments) == counts
    assert len(counts) == 3
    got = [(row["items"], row["support_count"]) for row in shell.user_ns["pairs"].dicts()]
    assert got == pairs
    assert shell.user_ns["names"][0] == ["product 20", "product 21"]
    assert list(loyal) == [(n_loyal,)]
    assert n_loyal > 0


def test_a_model_is_fitted_in_a_cell(shell: InteractiveShell) -> None:
    cell(shell, blocks("jupysql", "python")[0])
    cell(
        shell,
        "%%sql model <<\n"
        "select custseg.kmeans_fit(features, k := 3, transform := transform) as model\n"
        "from custseg.feature_vectors('custseg.customer_features')",
    )
    (row,) = shell.user_ns["model"].dicts()
    (stored,) = shell.user_ns["con"].execute("select model from custseg.models").fetchall()
    assert row["model"]["n_rows"] == 60
    assert same(row["model"]["inertia"], stored[0]["inertia"])


def test_what_is_wrong_is_told_in_our_words(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    cell(shell, blocks("jupysql", "python")[0])
    result = shell.run_cell("%sql from custseg.score('custseg.customer_features', 'zork')")
    assert not result.success
    written = capsys.readouterr()
    assert "model_name must be one of the stored ones" in written.out + written.err
