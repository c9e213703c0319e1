"""What earlier runs left: their options, their source and their model, as Python values."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from custseg_duck.errors import InputError
from custseg_duck.options import TEXTS
from custseg_duck.relations import lasting_name
from custseg_duck.statements import is_path
from custseg_duck.tables import exists


class PastRun(NamedTuple):
    """The latest run of a name.

    source : what it read, in words; recorded_inputs : the same, as far as it has a name;
    options : as ``recorded`` gives them; model_version : of ``custseg.models``
    """

    run_id: int
    source: str
    recorded_inputs: dict[str, str]
    options: dict[str, str]
    versions: dict[str, str]
    fingerprint: str
    model_version: int
    fit: str

    @property
    def inputs(self) -> dict[str, Any]:
        """Its source and features, as far as it had them; None where one has no name."""
        return {name: json.loads(text) for name, text in self.recorded_inputs.items()}


def past_run(con: duckdb.DuckDBPyConnection, name: str) -> PastRun | None:
    """The latest run of this name, or None."""
    if not exists(con, "runs"):
        return None
    columns = {name for name, *_ in con.execute("describe custseg.runs").fetchall()}
    if "model_version" not in columns:  # they are of version 0.1, which cannot be gone on from
        return None
    found = con.execute(
        "select run_id, source, inputs, options, versions, fingerprint, model_version, fit "
        "from custseg.runs "
        "where run_name = $name and fit is not null order by run_id desc limit 1",
        {"name": name},
    ).fetchall()
    if not found:
        return None
    return PastRun(*found[0])


def known_names(con: duckdb.DuckDBPyConnection) -> str:
    """The names of all runs, to be read by a person."""
    if not exists(con, "runs"):
        return "none"
    names = con.execute("select distinct run_name from custseg.runs order by 1").fetchall()
    return ", ".join(name for (name,) in names)


def stored_model(
    con: duckdb.DuckDBPyConnection, name: str, version: int | None = None
) -> dict[str, Any]:
    """A model of ``custseg.models``, by default its latest version.

    Raises
    ------
    duckdb.InvalidInputException
        If there is none, or it cannot be trusted.
    """
    ((model,),) = con.execute(
        "select model from custseg.stored_model($name, $version)",
        {"name": name, "version": version},
    ).fetchall()
    found: dict[str, Any] = model
    return found


def recorded(options: Mapping[str, Any]) -> dict[str, str]:
    """Options as texts, to be kept with a run; those that are None are left out."""
    return {
        name: str(value) if name in TEXTS or value == "auto" else json.dumps(value, default=str)
        for name, value in options.items()
        if value is not None
    }


def restored(options: Mapping[str, str]) -> dict[str, Any]:
    """The inverse of ``recorded``; dates stay texts."""
    return {
        name: text if name in TEXTS or text == "auto" else json.loads(text)
        for name, text in options.items()
    }


def recorded_inputs(con: duckdb.DuckDBPyConnection, **inputs: object) -> dict[str, str]:
    """What can be named again later: tables, files, folders, and mappings of them; null if not."""
    return {
        name: json.dumps(_nameable(con, value))
        for name, value in inputs.items()
        if value is not None
    }


def _nameable(con: duckdb.DuckDBPyConnection, value: object) -> object:
    if isinstance(value, str) and not is_path(value) and (name := lasting_name(con, value)):
        return name
    if isinstance(value, str | Path):
        is_file = isinstance(value, Path) or is_path(value) or os.path.exists(value)
        is_local = is_file and "://" not in os.fspath(value)
        return os.path.abspath(value) if is_local else os.fspath(value)
    if isinstance(value, Mapping):
        named = {name: _nameable(con, one) for name, one in value.items()}
        return named if None not in named.values() else None
    return None


def require_past_run(con: duckdb.DuckDBPyConnection, name: str) -> PastRun:
    """The latest run of this name.

    Raises
    ------
    InputError
        If there is none.
    """
    past = past_run(con, name)
    if past is None:
        raise InputError(
            f"name must be that of an earlier run ({known_names(con)}), got {name!r}. "
            "custseg_duck.run makes the first one [no-run]"
        )
    return past
