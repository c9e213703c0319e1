"""Where a tool is missing, its integration says which extra brings it."""

import importlib
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

NEEDED = {
    "dbt": ("dbt.adapters.duckdb.plugins", "dbt-duckdb"),
    "harlequin": ("harlequin.exception", "Harlequin"),
    "sqlalchemy": ("sqlalchemy", "SQLAlchemy"),
}


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_extra_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    package, tool = NEEDED[name]
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, f"custseg_duck.integrations.{name}", raising=False)
    with pytest.raises(ImportError, match=rf"{tool}.*pip install 'custseg_duck\[{name}\]'"):
        importlib.import_module(f"custseg_duck.integrations.{name}")


ROOT = Path(__file__).parent.parent


def pyproject() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


def test_every_package_is_in_the_wheel() -> None:
    found = {
        ".".join(place.parent.relative_to(ROOT).parts)
        for place in (ROOT / "custseg_duck").rglob("__init__.py")
    }
    # two of them are links into the checkout
    found |= {"custseg_duck.sql", "custseg_duck.udfs"}
    assert set(pyproject()["tool"]["setuptools"]["packages"]) == found


def test_the_extras_are_those_of_the_integrations() -> None:
    extras = pyproject()["project"]["optional-dependencies"]
    assert {*NEEDED, "marimo"} <= extras.keys()
    for extra, packages in extras.items():
        for package in packages if extra != "test" else []:
            assert "<" in package or package.startswith("custseg_duck"), package
