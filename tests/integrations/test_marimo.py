"""The notebook tells its story to the end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.integrations.conftest import ROOT

STORY = ROOT / "examples" / "story.py"


def test_the_story_exports_without_an_error(tmp_path: Path) -> None:
    page = tmp_path / "story.html"
    done = subprocess.run(
        [sys.executable, "-m", "marimo", "--yes", "export", "html", str(STORY), "-o", str(page)],
        capture_output=True, text=True, check=False, cwd=tmp_path, env=os.environ | {"CI": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    text = page.read_text()
    assert "2,469 households" in text
    assert "marimo-error" not in text
    for found in ("high spend, big baskets", "PEAS GREEN", "who buys", "from_segment", "psi"):
        assert found in text, found


def test_the_story_is_a_notebook_as_marimo_writes_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "marimo", "check", str(STORY)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search(r"^(error|critical)", done.stdout, re.MULTILINE)
