"""Functions of Python that are tried, each with what it leaves."""

# ruff: noqa: ARG001 (what goes through a table of functions takes what all of them take)

import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

import custseg_duck
from tests.hard.locked.databases import OPTIONS
from tests.hard.locked.statements import Call


def _left(con: duckdb.DuckDBPyConnection, run_name: str) -> dict[str, list[tuple[Any, ...]]]:
    """What a run left, without what differs from run to run."""
    found = {}
    for table, more in {
        "customer_features": "", "segments": "", "segment_summary": "", "segment_profiles": "",
        "centroids": "", "itemsets": "", "rules": "", "segment_rules": "", "recommendations": "",
        "decision_trees": "", "rfm_segments": "", "segment_preferences": "",
    }.items():  # fmt: skip
        found[table] = con.execute(
            f"select * exclude (run_name{more}) from custseg.{table} where run_name = $1",
            [run_name],
        ).fetchall()
    return found


def _run(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.run("main.order_lines", con=con, name="again", **OPTIONS)
    return _left(con, "again")


def _run_file(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.run(folder / "lines.parquet", con=con, name="of a file", **OPTIONS)
    return _left(con, "of a file")


def _run_frame(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    lines = pq.read_table(folder / "lines.parquet")
    custseg_duck.run(lines, con=con, name="of a frame", **OPTIONS)
    return _left(con, "of a frame")


def _run_columns(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.run(
        "main.order_lines", con=con, name="dated", item="department", since="2024-01-02",
        as_of="2024-02-01", exclude_items=["x"], **OPTIONS,
    )  # fmt: skip
    return _left(con, "dated")


def _refresh(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    return custseg_duck.refresh(con=con, fit="frozen", since="2024-01-02").features.fetchall()


def _itemsets(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    made = custseg_duck.frequent_itemsets(
        "main.order_lines", con=con, temporary=True, into="mined", min_support=0.05
    )
    return made.fetchall()


def _check(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    found = custseg_duck.self_check(con)
    said = [one.found for one in found if one.status == "wrong"]
    if any("default_collation must be empty" in text for text in said):
        raise custseg_duck.InputError(said[0])
    return [(one.what, one.status) for one in found if one.what != "temporary files"]


def _targets(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.export_targets(con, folder / "made.csv", segments=["1"])
    return (folder / "made.csv").read_text().splitlines()


def _export(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.export(con, folder / "made.duckdb", tables=["main.order_lines"], overwrite=True)
    with duckdb.connect(str(folder / "made.duckdb"), read_only=True) as other:
        lines = other.execute("from main.order_lines").fetchall()
        return _left(other, "default") | {"order_lines": lines}


def _export_model(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.export_model(con, folder / "made.json")
    return json.loads((folder / "made.json").read_text())["model"]


def _import_model(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.import_model(con, folder / "model.json", name="imported")
    return con.execute("select model from custseg.models where name = 'imported'").fetchall()


def _report(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.export_report(con, folder / "made.html")
    return len((folder / "made.html").read_text()) > 10_000


def _load(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.load(con)
    return con.execute("select custseg.version()").fetchall()


# in this order, so that none finds what another one has changed
FUNCTIONS: dict[str, Call] = {
    "load": _load, "self_check": _check, "export_targets": _targets, "export": _export,
    "export_model": _export_model, "export_report": _report, "frequent_itemsets": _itemsets,
    "run": _run, "run on a file": _run_file, "run on a frame": _run_frame,
    "run with dates": _run_columns, "import_model": _import_model, "refresh": _refresh,
}  # fmt: skip
