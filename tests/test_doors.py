"""Three doors, one answer: SQL by hand, run() and the command leave identical rows."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

import custseg_duck

EXAMPLES = Path(__file__).parent.parent / "examples"
TABLES = {
    "customer_features": "my_features",
    "segments": "my_segments",
    "segment_summary": "my_summary",
    "segment_profiles": "my_profiles",
    "centroids": "my_centroids",
    "itemsets": "my_itemsets",
    "rules": "my_rules",
}
OPTIONS = {"k": 6, "min_support": 0.001, "time_zone": "America/New_York"}


def rows(con: duckdb.DuckDBPyConnection, relation: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows in the order of all their text, without the run's name."""
    columns = [
        name
        for name, *_ in con.execute(f"describe from {relation}").fetchall()
        if name not in ("run_name", "probability")
    ]
    names = ", ".join(columns)
    return columns, con.execute(f"select {names} from {relation} order by all").fetchall()


@pytest.fixture(scope="module")
def three_doors(complete_journey: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same job by run(), by the command and by hand, each in a file of its own."""
    folder = tmp_path_factory.mktemp("doors")
    paths = [folder / f"{door}.duckdb" for door in ("run", "command", "by_hand")]
    for path in paths:
        shutil.copy(complete_journey, path)
    with custseg_duck.connect(paths[0]) as con:
        custseg_duck.run("order_lines", con=con, **OPTIONS)  # type: ignore[arg-type]
    command = [sys.executable, "-m", "custseg_duck.cli", "run", "order_lines"]
    command += ["--database", str(paths[1]), "-k", "6", "--min-support", "0.001"]
    command += ["--time-zone", "America/New_York", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with custseg_duck.connect(paths[2]) as con:
        con.execute((EXAMPLES / "by_hand.sql").read_text())
    return paths


@pytest.mark.parametrize("table", TABLES)
def test_run_command_and_sql_leave_identical_rows(three_doors: list[Path], table: str) -> None:
    found = []
    for path, relation in zip(
        three_doors, (f"custseg.{table}", f"custseg.{table}", TABLES[table]), strict=True
    ):
        with duckdb.connect(str(path), read_only=True) as con:
            found.append(rows(con, relation))
    assert found[0] == found[1] == found[2]
    assert len(found[0][1]) > 0


def test_run_command_and_sql_leave_the_same_model_to_the_last_bit(three_doors: list[Path]) -> None:
    models = []
    for path, relation in zip(
        three_doors, ("custseg.models", "custseg.models", "my_models"), strict=True
    ):
        with duckdb.connect(str(path), read_only=True) as con:
            models.append(con.execute(f"select model from {relation}").fetchall())
    assert models[0] == models[1] == models[2]
    ((model,),) = models[0]
    assert [c["n"] for c in model["components"]] == sorted(
        (c["n"] for c in model["components"]), reverse=True
    )


def test_features_and_rules_are_what_is_known_of_the_complete_journey(
    three_doors: list[Path],
) -> None:
    with duckdb.connect(str(three_doors[0]), read_only=True) as con:
        assert con.execute("select count(*) from custseg.segments").fetchall() == [(2469,)]
        assert con.execute(
            "select reason, n_lines from custseg.line_counts order by n_lines desc"
        ).fetchall() == [("purchase", 1_460_467), ("nothing bought", 8_840)]
        ((last_order,),) = con.execute("select last_order::varchar from custseg.runs").fetchall()
        assert last_order == "2017-12-31 23:01:20"
        shares = con.execute(
            "select sum(customer_share), sum(revenue_share), max(customer_share) "
            "from custseg.segment_summary"
        ).fetchall()[0]
        assert shares[:2] == pytest.approx((1, 1))
        assert shares[2] < 0.5
        assert con.execute(
            "select round(100 * fidelity), floor(100 * baseline + 0.5) from custseg.decision_trees"
        ).fetchall() == [(84, 25)]
