"""self_check: what is whole is called so, and what was changed behind our back is found."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import custseg_duck

Con = duckdb.DuckDBPyConnection


@pytest.fixture
def shop(shops: dict[str, Path], tmp_path: Path) -> Iterator[Con]:
    """A copy of a database with a run of everything."""
    path = tmp_path / "of the test.duckdb"
    shutil.copy(shops["full"], path)
    with duckdb.connect(str(path)) as con:
        yield con


def found(con: Con, status: str = "wrong") -> dict[str, str]:
    findings = custseg_duck.self_check(con)
    return {finding.what: finding.found for finding in findings if finding.status == status}


def everything(con: Con) -> object:
    """What there is, apart from functions, which belong to the process."""
    relations = con.execute(
        "select database_name, schema_name, table_name, sql from duckdb_tables() union all "
        "select database_name, schema_name, view_name, sql from duckdb_views() where not internal "
        "order by all"
    ).fetchall()
    macros = con.execute(
        "select function_name, macro_definition from duckdb_functions() "
        "where schema_name = 'custseg' and database_name = current_database() order by all"
    ).fetchall()
    runs = con.execute("from custseg.runs order by all").fetchall()
    return relations, macros, runs


def test_a_whole_database_is_called_so_and_nothing_is_left(shop: Con) -> None:
    before = everything(shop)
    findings = custseg_duck.self_check(shop)
    assert {finding.status for finding in findings} == {"ok"}
    assert not [finding for finding in findings if finding.advice]
    looked_at = [finding.what for finding in findings]
    assert [what for what in looked_at if what.startswith("known answers")] == [
        "known answers: features", "known answers: itemsets", "known answers: rules",
        "known answers: a fit and its segments",
    ]  # fmt: skip
    for words in ("counts of customers", "segments against the model", "parts of itemsets"):
        assert any(what.endswith(words) for what in looked_at)
    assert everything(shop) == before


@pytest.mark.parametrize("kind", ["twenty", "bare", "features", "one segment", "one customer"])
def test_runs_of_all_kinds_of_shops_fit_together(shops: dict[str, Path], kind: str) -> None:
    with duckdb.connect(str(shops[kind]), read_only=True) as con:
        assert not found(con)


def test_a_database_without_anything_gets_the_known_answers() -> None:
    with duckdb.connect() as con:
        findings = custseg_duck.self_check(con)
        assert [finding.what for finding in findings if finding.status == "note"] == [
            "macros", "runs"
        ]  # fmt: skip
        assert not found(con)
        assert not con.execute("from duckdb_schemas() where schema_name = 'custseg'").fetchall()


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (
            "update custseg.segments set segment = 1 - segment where customer_id = "
            "(select min(customer_id) from custseg.segments where segment < 2)",
            "segments against the model",
        ),
        (
            "update custseg.customer_features set monetary = monetary * 1000",
            "segments against the model",
        ),
        (
            "delete from custseg.segments where customer_id = "
            "(select min(customer_id) from custseg.segments)",
            "counts of customers",
        ),
        (
            "insert into custseg.segments from custseg.segments limit 1",
            "counts of customers",
        ),
        (
            "update custseg.segment_summary set n_customers = n_customers + 1 where segment = 0",
            "counts of customers",
        ),
        (
            "update custseg.itemsets set support_count = support_count * 9 where length = 2",
            "parts of itemsets",
        ),
        ("delete from custseg.itemsets where length = 1", "parts of itemsets"),
        (
            "update custseg.rules set confidence = confidence + 1e-6",
            "rules against itemsets",
        ),
        (
            "update custseg.rules set support_count = support_count + 1",
            "rules against itemsets",
        ),
        ("alter table custseg.customer_features drop monetary", "segments against the model"),
    ],
)
def test_what_was_changed_is_found(shop: Con, change: str, wrong: str) -> None:
    shop.execute(change)
    findings = found(shop)
    assert any(what.endswith(wrong) for what in findings), findings


def test_a_changed_model_is_found_of_twice_at_most(shop: Con) -> None:
    shop.execute(
        "update custseg.models set model = struct_update(model, n_rows := model.n_rows + 1)"
    )
    findings = found(shop)
    assert [what for what in findings if what.startswith("model ")]
    assert all("[" in text for text in findings.values()), "the causes have their codes"


def test_a_changed_macro_is_found(shop: Con) -> None:
    shop.execute("create or replace macro custseg.distances(model, features) as [1.0::double, 2.0]")
    assert "known answers: a fit and its segments" in found(shop)
    shop.execute("create or replace macro custseg.distances(model, features) as error('broken')")
    assert "broken" in found(shop)["a shop with known answers"]


def test_a_view_that_cannot_be_read_is_found(shop: Con) -> None:
    shop.execute(
        "create table gone (a int); create or replace view custseg.top_rules as from gone; "
        "drop table gone"
    )
    assert "gone" in found(shop)["custseg.top_rules"]


def test_it_reads_a_read_only_file_and_another_current_database(
    shops: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "shop.duckdb"
    shutil.copy(shops["full"], path)
    with duckdb.connect(str(path), read_only=True) as con:
        assert not found(con)
        assert not found(con, "note")
    with duckdb.connect() as con:
        con.execute(f"attach '{path}' as elsewhere (read_only)")
        assert found(con, "note") == {"macros": "none", "runs": "none"}
        con.execute("use elsewhere")
        assert not found(con)
        assert [one.what for one in custseg_duck.self_check(con) if one.what.startswith("run ")]


def test_the_place_for_temporary_files(shop: Con, tmp_path: Path) -> None:
    shop.execute("set temp_directory = ''")
    assert found(shop, "note") == {"temporary files": "none allowed"}
    (tmp_path / "file").write_text("")
    shop.execute(f"set temp_directory = '{tmp_path / 'file' / 'below'}'")
    assert list(found(shop)) == ["temporary files"]
    shop.execute(f"set temp_directory = '{tmp_path / 'not' / 'yet'}'")
    assert str(tmp_path / "not") in found(shop, "ok")["temporary files"]
    assert not (tmp_path / "not").exists()
