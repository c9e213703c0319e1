"""The command: what it prints, in each format, and how it ends."""

import csv
import importlib.metadata
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result
from conftest import make_shop

import custseg_duck
from custseg_duck import catalog, doctor
from custseg_duck.cli import main
from custseg_duck.demo import OPTIONS

Command = Callable[..., Result]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with order lines, a run and a refresh of it; not to be written to."""
    path = tmp_path_factory.mktemp("shop") / "shop.duckdb"
    with custseg_duck.connect(path) as con:
        make_shop(con)
        custseg_duck.run("order_lines", con=con, k=3, min_support=0.02, as_of="2024-01-20")
        custseg_duck.refresh(con=con, as_of="2024-02-20")
    return path


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def commands() -> Iterator[tuple[str, ...]]:
    """Every command, groups and what is in them too."""
    for name, command in main.commands.items():
        yield (name,)
        if name == "models":
            yield from ((name, within) for within in command.commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", list(commands()))
def test_every_command_and_option_says_what_it_does(command: tuple[str, ...]) -> None:
    done = call(*command, "--help")
    assert done.exit_code == 0
    assert "Usage:" in done.stdout
    found: Any = main
    for name in command:
        found = found.commands[name]
    for parameter in found.params:
        is_said = getattr(parameter, "help", None) or parameter.param_type_name == "argument"
        assert is_said or parameter.name == "seed", parameter.name
    if command[0] != "models":
        assert "Example" in done.stdout


def test_the_first_help_has_examples_and_exit_codes() -> None:
    done = call("--help")
    assert "custseg-duck run orders.parquet -d shop.duckdb" in done.stdout
    assert "Exit codes" in done.stdout
    assert done.stdout.isascii()


def test_a_run_prints_json_that_is_what_the_tables_hold(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as con:
        make_shop(con)
    done = call("run", "order_lines", "-d", path, "-k", 3, "--min-support", 0.02,
                "--format", "json")  # fmt: skip
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["run"] == "default"
    assert found["is_unchanged"] is False
    with duckdb.connect(str(path), read_only=True) as con:
        expected = con.execute(
            "select segment, label, n_customers, customer_share "
            "from custseg.segment_summary join custseg.segment_labels using (run_name, segment) "
            "order by segment"
        ).fetchall()
    keys = ("segment", "label", "n_customers", "customer_share")
    assert [tuple(row[key] for key in keys) for row in found["segments"]] == expected
    assert found["line_counts"] == [
        {"is_kept": True, "reason": "purchase", "n_lines": 900, "amount": 23400.0}
    ]
    again = call("refresh", "-d", path, "--format", "json")
    assert json.loads(again.stdout) == found | {"is_unchanged": True}
    assert "Nothing has changed" in again.stderr


def test_quiet_says_nothing_at_all(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as con:
        make_shop(con)
    for arguments in (
        ("run", "order_lines", "-d", path, "-k", 2),
        ("refresh", "-d", path),
        ("targets", "0", "-d", path, "--to", tmp_path / "t.csv"),
        ("models", "export", tmp_path / "m.json", "-d", path),
        ("export", tmp_path / "x.duckdb", "-d", path),
    ):
        done = call(*arguments, "--quiet")
        assert (done.exit_code, done.output) == (0, ""), arguments


def test_show_repeats_what_the_run_printed(path: Path) -> None:
    shown = json.loads(call("show", "-d", path, "--format", "json").stdout)
    assert [row["segment"] for row in shown["segments"]] == [0, 1, 2]
    assert {"migration", "drift", "rules", "segment_rules", "line_counts"} <= shown.keys()
    table = call("show", "-d", path).stdout
    for title in ("Segments", "Order lines", "Bought together"):
        assert title in table
    rows = list(csv.DictReader(io.StringIO(call("show", "-d", path, "--format", "csv").stdout)))
    assert [row["segment"] for row in rows] == ["0", "1", "2"]
    assert json.loads(rows[0]["traits"]) == shown["segments"][0]["traits"]


@pytest.mark.parametrize("table", sorted(catalog.TABLES + catalog.VIEWS))
def test_every_table_and_view_is_shown_in_every_format(path: Path, table: str) -> None:
    if table == "k_candidates":
        done = call("show", table, "-d", path)
        assert (done.exit_code, done.stdout) == (1, "")
        assert "table must be one that a run has left, got k_candidates" in done.stderr
        return
    with duckdb.connect(str(path), read_only=True) as con:
        n_rows = con.execute(f"select count(*) from custseg.{table}").fetchall()[0][0]
    as_json = json.loads(call("show", table, "-d", path, "--format", "json").stdout)
    as_csv = list(
        csv.reader(io.StringIO(call("show", table, "-d", path, "--format", "csv").stdout))
    )
    assert len(as_json) == len(as_csv) - 1 == n_rows
    assert all(list(row) == as_csv[0] for row in as_json)
    assert call("show", table, "-d", path).exit_code == 0


def test_a_segment_of_two_labels_is_shown_once(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(path.read_bytes())
    with duckdb.connect(str(copy)) as con:
        con.execute("""
            insert into custseg.segment_labels by name
            select 'default' as run_name, 1 as segment, 'A second name' as label
        """)
    shown = json.loads(call("show", "-d", copy, "--format", "json").stdout)
    assert [row["segment"] for row in shown["segments"]] == [0, 1, 2]


def test_infinite_and_missing_numbers_are_valid_json(path: Path) -> None:
    rules = json.loads(
        call("show", "rules", "-d", path, "--format", "json").stdout,
        parse_constant=lambda word: pytest.fail(f"{word} is not JSON"),
    )
    assert rules[0]["confidence"] > 0
    limited = call("show", "rules", "-d", path, "--format", "json", "--limit", 2).stdout
    assert json.loads(limited) == rules[:2]
    # a run that found none has an empty list, and one that is not there is no empty result
    assert call("show", "rules", "-d", path, "--name", "zork", "--format", "json").exit_code == 1


def test_a_dry_run_tells_and_leaves_everything_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as con:
        make_shop(con)
    before = path.read_bytes()
    arguments = ("run", "order_lines", "-d", path, "-k", 3, "--min-support", 0.02, "--dry-run")
    told = json.loads(call(*arguments, "--format", "json").stdout)
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [path]
    assert told["source"] == "order_lines"
    assert told["line_counts"][0]["n_lines"] == 900
    assert (
        told["customers"][0] | {"n_customers": 60, "n_orders": 300, "n_products": 12}
        == (told["customers"][0])
    )
    done = call(*arguments[:-1], "--format", "json")
    assert done.exit_code == 0
    with duckdb.connect(str(path), read_only=True) as con:
        assert con.execute(
            "select n_orders, min_orders, n_items, n_pairs from custseg.itemset_plan"
        ).fetchall() == [
            tuple(told["itemset_plan"][0][key]
                  for key in ("n_orders", "min_orders", "n_items", "n_pairs"))
        ]  # fmt: skip
        assert con.execute(
            "select f.name, f.department from (select unnest(model.features) as f "
            "from custseg.models)"
        ).fetchall() == [(row["feature"], row["department"]) for row in told["features"]]
    assert "Nothing was written" in call(*arguments).stderr


def test_a_dry_run_makes_no_file_and_refuses_as_a_run_does(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("order_id,product_id\n1,2\n")
    new = tmp_path / "new.duckdb"
    done = call("run", tmp_path / "bad.csv", "-d", new, "--dry-run")
    assert done.exit_code == 1
    assert "must have the columns customer_id" in done.stderr
    assert call("run", "-d", new, "--dry-run").exit_code == 1
    done = call("run", tmp_path / "bad.csv", "-d", new, "--dry-run", "--max-pairs", "many")
    assert done.exit_code == 2
    assert not new.exists()


def test_a_dry_run_takes_what_a_run_takes(tmp_path: Path, shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute(f"copy (select customer_id as who, * exclude (customer_id) from order_lines) "
                 f"to '{tmp_path / 'lines.parquet'}'")  # fmt: skip
    shop.execute(f"copy (select distinct customer_id, customer_id % 9 as age, customer_id % 4 as b "
                 f"from order_lines) to '{tmp_path / 'own.csv'}'")  # fmt: skip
    told = json.loads(
        call("run", tmp_path / "lines.parquet", "-d", tmp_path / "new.duckdb", "--dry-run",
             "--map", "customer_id=who", "--format", "json").stdout
    )  # fmt: skip
    assert told["customers"][0]["n_customers"] == 60
    told = json.loads(
        call("run", "-d", tmp_path / "new.duckdb", "--features", tmp_path / "own.csv",
             "--dry-run", "--format", "json").stdout
    )  # fmt: skip
    assert [row["feature"] for row in told["features"]] == ["age", "b"]
    done = call("run", tmp_path / "lines.parquet", "-d", tmp_path / "new.duckdb", "--dry-run",
                "--map", "customer_id=who", "--max-pairs", 3)  # fmt: skip
    assert (done.exit_code, "max_pairs" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("show",), ("explain", "1"), ("report",), ("targets", "--to", "x.csv"),
        ("models", "list"), ("models", "export", "x.json"), ("models", "drop", "x"),
        ("export", "x.duckdb"), ("refresh",),
    ],
)  # fmt: skip
def test_reading_a_database_that_is_not_there_makes_none(
    tmp_path: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call(*arguments, "-d", "nosuch.duckdb")
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: database must be a file that exists, got nosuch.duckdb")
    assert list(tmp_path.iterdir()) == []


def test_an_export_replaces_a_file_if_asked(path: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.duckdb"
    assert call("export", new, "-d", path, "--table", "order_lines").exit_code == 0
    done = call("export", new, "-d", path)
    assert (done.exit_code, "--overwrite" in done.stderr) == (1, True)
    assert call("export", new, "-d", path, "--overwrite").exit_code == 0
    with duckdb.connect(str(new), read_only=True) as con:
        assert con.execute("select count(*) from custseg.segments").fetchall() == [(60,)]


def test_show_says_where_there_is_no_run(tmp_path: Path) -> None:
    path = tmp_path / "empty.duckdb"
    duckdb.connect(str(path)).close()
    done = call("show", "-d", path)
    assert done.exit_code == 1
    assert "must hold a run" in done.stderr
    assert call("show", "zork", "-d", path).exit_code == 2


def test_the_doctor_finds_a_sound_database_sound(path: Path) -> None:
    done = call("doctor", "-d", path, "--format", "json")
    assert done.exit_code == 0
    findings = json.loads(done.stdout)["findings"]
    assert {"duckdb", "a fit on six rows", "macros", "run 'default'", "tables and views"} <= {
        finding["what"] for finding in findings
    }
    assert all(finding["status"] == "ok" for finding in findings)
    assert "all readable" in call("doctor", "-d", path).stdout
    assert call("doctor", "--format", "csv").stdout.startswith("status,what,found,advice")


def test_the_doctor_looks_deeper_when_asked(path: Path, tmp_path: Path) -> None:
    assert "known answers: rules" in call("doctor", "--deep").stdout
    done = call("doctor", "--deep", "-d", path, "--format", "json")
    assert done.exit_code == 0
    looked_at = {finding["what"] for finding in json.loads(done.stdout)["findings"]}
    assert {"known answers: rules", "run 'default': segments against the model"} <= looked_at
    changed = tmp_path / "changed.duckdb"
    changed.write_bytes(path.read_bytes())
    with duckdb.connect(str(changed)) as con:
        con.execute("update custseg.segments set segment = 1 - segment")
    assert call("doctor", "-d", changed).exit_code == 0
    done = call("doctor", "--deep", "-d", changed)
    assert done.exit_code == 1
    assert "differ" in done.stdout


def test_the_doctor_knows_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = importlib.metadata.version

    def version(package: str) -> str:
        if package == "sqlglot":
            raise importlib.metadata.PackageNotFoundError(package)
        return "1.0" if package == "pyarrow" else installed(package)

    monkeypatch.setattr(importlib.metadata, "version", version)
    findings = {one.what: one for one in doctor.examine(None)}
    assert findings["sqlglot"][::2] == ("wrong", "not installed")
    assert findings["pyarrow"].status == "note"
    assert findings["pyarrow"].found.startswith("1.0, tested with ")
    assert findings["numpy"].status == "ok"


def test_the_doctor_finds_what_is_wrong(path: Path, tmp_path: Path) -> None:
    def wrong(database: Path) -> list[str]:
        done = call("doctor", "-d", database, "--format", "json")
        found = [
            one["what"] for one in json.loads(done.stdout)["findings"] if one["status"] == "wrong"
        ]
        assert done.exit_code == (1 if found else 0)
        return found

    assert wrong(tmp_path / "nosuch.duckdb") == [str(tmp_path / "nosuch.duckdb")]
    (tmp_path / "text.duckdb").write_text("this is no database, however long it may be " * 999)
    assert wrong(tmp_path / "text.duckdb") == [str(tmp_path / "text.duckdb")]
    damaged = tmp_path / "damaged.duckdb"
    damaged.write_bytes(path.read_bytes())
    with duckdb.connect(str(damaged)) as con:
        con.execute("update custseg.models set model = struct_update(model, seed := 7)")
        con.execute("drop table custseg.decision_trees")
        con.execute("create table custseg.decision_trees as select 1 as one")
    assert wrong(damaged) == [
        "model 'default' version 1", "model 'default' version 2", "custseg.decision_rules",
    ]  # fmt: skip
    empty = tmp_path / "empty.duckdb"
    duckdb.connect(str(empty)).close()
    assert wrong(empty) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_command(shell: str) -> None:
    done = call("completion", shell)
    assert done.exit_code == 0
    assert "_CUSTSEG_DUCK_COMPLETE" in done.stdout


def test_the_shell_completes_commands_options_and_steps() -> None:
    def complete(words: str) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-m", "custseg_duck.cli"],
            env={"_CUSTSEG_DUCK_COMPLETE": "bash_complete", "COMP_WORDS": words,
                 "COMP_CWORD": str(words.count(" "))},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stderr == ""
        return {line.partition(",")[2] for line in done.stdout.splitlines()}

    assert {"run", "report", "show"} <= complete("custseg-duck ")
    assert complete("custseg-duck sql frequent") == {"frequent_itemsets"}
    assert "--n-bins" in complete("custseg-duck sql rfm --n")
    assert "top_rules" in complete("custseg-duck show top_")


def test_the_demos_options_are_those_of_the_command() -> None:
    assert set(OPTIONS) <= {parameter.name for parameter in main.commands["run"].params}
