"""custseg-duck sql: every step as text, run as it stands where nothing of ours is loaded."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result
from conftest import make_shop

import custseg_duck
from custseg_duck import scripts
from custseg_duck.cli import main

PLAIN = """
import duckdb, json, sys
out = {}
con = duckdb.connect(sys.argv[1])
for name, script in json.load(sys.stdin).items():
    con.execute("begin")
    con.execute(script)
    out[name] = con.execute("from made order by all").fetchall()
    con.execute("rollback")
print(json.dumps(out, default=str))
assert "custseg_duck" not in sys.modules
"""

# Arguments of the macros that give tables; the rest take order lines
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "apply_transform": (),  # takes a value of another query
    "centroids": ("custseg.models",),
    "segment_members": (),
    "score": ("custseg.customer_features",),
    "feature_transform": ("custseg.customer_features",),
    "feature_vectors": ("custseg.customer_features",),
    "association_rules": ("custseg.itemsets",),
    "measured_rules": ("custseg.itemsets",),
    "help": ("",),  # tells what the database has
    "unrelated_itemsets": (),  # takes itemsets of levels
    "segment_rules": ("order_lines", "custseg.segments"),
    "segment_preferences": ("order_lines", "custseg.segments"),
    "recommendations": ("order_lines", "custseg.rules"),
    "recommend": ("[3, 7]",),
    "segment_summary": ("custseg.customer_features", "custseg.segments"),
    "segment_profiles": ("custseg.customer_features", "custseg.segments"),
    "segment_descriptions": ("custseg.segment_summary", "custseg.centroids"),
    "segment_migration": ("custseg.segments", "custseg.segments"),
    "segment_crosstab": ("custseg.segments", "custseg.customer_features"),
    "segment_association": ("custseg.segments", "custseg.customer_features"),
    "suggested_labels": ("custseg.centroids",),
    "feature_drift": ("custseg.customer_features", "custseg.customer_features"),
    "feature_histograms": ("custseg.customer_features",),
    "explain": ("7",),
    "rfm_cut_points": ("custseg.customer_features",),
    "rfm_segments": ("custseg.customer_features", "custseg.rfm_cut_points"),
    "rfm_summary": ("custseg.rfm_segments",),
    "with_hierarchy": ("order_lines", "products"),
}


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["sql", *(str(argument) for argument in arguments)])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scripts") / "shop.duckdb"
    with custseg_duck.connect(path) as con:
        make_shop(con)
        con.execute("alter table order_lines add column category varchar")
        con.execute("update order_lines set category = 'c' || product_id % 5")
        con.execute(
            "create table products as select distinct product_id, 1 as shelf from order_lines"
        )
        custseg_duck.run("order_lines", con=con, k=3, min_support=0.02)
    return path


def steps() -> Iterator[str]:
    """All that give a table without Python."""
    for name, step in scripts.steps().items():
        if step.header.is_table and not scripts.needs_python(name):
            yield name


def arguments_of(name: str) -> tuple[str, ...] | None:
    """None where a relation alone does not do."""
    required = scripts.steps()[name].header.required
    found = ARGUMENTS.get(name, ("order_lines",) if required == ("lines",) else ())
    return found if len(found) == len(required) else None


CALLED = {name: arguments_of(name) for name in steps()}


def test_nearly_every_step_is_called() -> None:
    left_out = {name for name, arguments in CALLED.items() if arguments is None}
    assert len(left_out) <= 14
    assert len(CALLED) > 50


@pytest.fixture(scope="module")
def from_a_plain_process(
    file: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[list[Any]]]:
    """What each printed script makes in a process that has never heard of custseg_duck."""
    bare = tmp_path_factory.mktemp("bare") / "shop.duckdb"
    shutil.copy(file, bare)
    with custseg_duck.connect(bare) as con:
        custseg_duck.unload(con, keep_tables=True)
    texts = {
        name: call(name, *arguments, "--into", "made").stdout
        for name, arguments in CALLED.items()
        if arguments is not None
    }
    done = subprocess.run(
        [sys.executable, "-I", "-c", PLAIN, str(bare)],
        input=json.dumps(texts), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    found: dict[str, list[list[Any]]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", [name for name, given in CALLED.items() if given is not None])
def test_a_script_gives_in_a_plain_process_what_the_macro_gives(
    file: Path, from_a_plain_process: dict[str, list[list[Any]]], name: str
) -> None:
    written = ", ".join(one if one[0] in "[7" else f"'{one}'" for one in CALLED[name] or ())
    with duckdb.connect(str(file), read_only=True) as con:
        expected = con.execute(f"from custseg.{name}({written}) order by all").fetchall()
    assert from_a_plain_process[name] == json.loads(json.dumps(expected, default=str))
    assert expected or name.endswith("_rules") or name == "recommendations"


def test_scalar_macros_are_printed_whole(file: Path) -> None:
    text = call("assign").stdout
    with duckdb.connect() as con:
        con.execute(f"attach '{file}' as shop (read_only)")
        con.execute(text)
        assert con.execute(
            "select custseg.assign(model, model.components[2].center) from shop.custseg.models"
        ).fetchall() == [(1,)]


def test_options_and_files_are_written_out(tmp_path: Path, shop: duckdb.DuckDBPyConnection) -> None:
    path = tmp_path / "it's lines.parquet"
    shop.execute("create view odd as select customer_id as \"who 'it' is\", "
                 "* exclude (customer_id) from order_lines")  # fmt: skip
    escaped = str(path).replace("'", "''")
    shop.execute(f"copy odd to '{escaped}'")
    text = call("rfm", path, "--map", "customer_id=who 'it' is", "--n-bins", 4, "--as-of",
                "2024-03-01", "--into", "made").stdout  # fmt: skip
    expected = shop.execute(
        "from custseg.rfm('order_lines', as_of := '2024-03-01', n_bins := 4) order by all"
    ).fetchall()
    with duckdb.connect() as con:
        con.execute(text)
        assert con.execute("from made order by all").fetchall() == expected


def test_without_macros_only_the_call_is_printed() -> None:
    assert call("rfm", "order_lines", "--no-macros").stdout == "from custseg.rfm('order_lines');\n"
    assert call(
        "level_rules", "t", "--levels", "['product_id', 'it''s']", "--no-macros"
    ).stdout == ("from custseg.level_rules('t', levels := ['product_id', 'it''s']);\n")
    # sqlglot takes it for a name, or an older one for none
    assert call("rfm", "t", "--into", "x; drop table y", "--no-macros").stdout in (
        "",
        "create or replace table \"x; drop table y\" as\nfrom custseg.rfm('t');\n",
    )
    assert "from custseg.rfm('\x1b[31mred');\n" in call("rfm", "\x1b[31mred").stdout
    for step in ("rfm", "itemsets"):
        assert 'table "main"."made here" as' in call(
            step, "t", "--into", 'main."made here"', "--no-macros").stdout  # fmt: skip
        refused = call(step, "t", "--into", "made.parquet")
        assert refused.exit_code == 1
        assert "into must be the name of a table, got 'made.parquet'" in refused.stderr
    assert call("rfm", "it's; drop table x", "--no-macros").stdout == (
        "from custseg.rfm('it''s; drop table x');\n"
    )


def test_a_script_keeps_the_macros_ours(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(call("rfm", "nosuch").stdout.rpartition("from custseg.rfm")[0])
    custseg_duck.unload(con)
    assert con.execute(
        "select count(*) from duckdb_schemas() where schema_name = 'custseg'"
    ).fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("kmeans_fit",), 1, "kmeans_fit must be plain SQL to be printed, got one that fits in"),
        (("k_sweep", "v"), 1, "custseg_duck.load(con)"),
        (("zork",), 2, "No such command 'zork'"),
        (("rfm",), 2, "Missing argument 'LINES'"),
        (("rfm", "t", "--zork", "1"), 2, "No such option"),
        (
            ("rfm", "t", "--n-bins", "[1, (select 2)]"),
            1,
            "n_bins must be an SQL literal, got [1, (",
        ),
        (("rfm", "t", "--n-bins", "'; drop table x; --"), 1, "n_bins must be an SQL literal"),
        (("rfm", "t", "--map", "customer_id"), 2, "must be like customer_id=household_id"),
    ],
)
def test_what_cannot_be_printed_is_refused(
    arguments: tuple[str, ...], code: int, message: str
) -> None:
    done = call(*arguments)
    assert done.exit_code == code
    assert message in done.stderr
    assert done.stdout == ""


def test_the_list_holds_what_can_be_printed() -> None:
    text = call("--help").stdout
    assert "frequent_itemsets" in text
    assert "kmeans_fit" not in text
    assert call("rfm", "--help").stdout.count("recency") > 1
