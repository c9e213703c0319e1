"""Run in an environment of its own, with the extras of the integrations: ``make integrations``."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

import custseg_duck
from tests.conftest import make_shop

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def segmented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small shop with a run in it, as a file; copy it before writing."""
    path = tmp_path_factory.mktemp("segmented") / "shop.duckdb"
    with custseg_duck.connect(path) as con:
        make_shop(con)
        custseg_duck.run("order_lines", con=con, k=3, min_support=0.02)
    return path


@pytest.fixture
def shop(segmented: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy as shop.duckdb in the current folder."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copy(segmented, tmp_path / "shop.duckdb"))


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small shop as bare.duckdb in the current folder: nothing of ours is in it."""
    monkeypatch.chdir(tmp_path)
    with duckdb.connect("bare.duckdb") as con:
        make_shop(con)
    return tmp_path / "bare.duckdb"
