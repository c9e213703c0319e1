"""What the tests of other clients share: the pages' examples, and a comparison of rows."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def blocks(page: str, language: str) -> list[str]:
    """A page's blocks of code in a language, in their order."""
    text = (ROOT / "docs" / "integrations" / f"{page}.md").read_text()
    found = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert found, f"{page}.md must have a block of {language}"
    return found


def same(got: Any, expected: Any) -> bool:
    """Equal, but for the last bits of numbers: two versions of DuckDB may round otherwise."""
    if isinstance(expected, dict):
        return got.keys() == expected.keys() and all(same(got[key], expected[key]) for key in got)
    if isinstance(expected, list):
        return len(got) == len(expected) and all(map(same, got, expected))
    if isinstance(expected, float):
        return math.isclose(got, expected, rel_tol=1e-12)
    return bool(got == expected)
