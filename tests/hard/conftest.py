"""What the slices of several promises share."""

from pathlib import Path

import pytest

from tests.hard import kills


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database files that things are done to copies of."""
    return kills.prepare(tmp_path_factory.mktemp("hard") / "prepared")
