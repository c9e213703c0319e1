"""Names that are taken for others: by folding letters, as patterns, or for those of files."""

from pathlib import Path

import duckdb
import pytest

import custseg_duck
from custseg_duck import InputError
from tests.conftest import QUICK, make_shop

DECOY = "select 'decoy' || customer_id as customer_id, * exclude (customer_id) from order_lines"


def customers(con: duckdb.DuckDBPyConnection) -> set[str]:
    found = con.execute("select customer_id::varchar from custseg.segments").fetchall()
    return {one for (one,) in found}


NUMBERS = {str(number) for number in range(60)}


@pytest.mark.parametrize(
    "name", ["query_table('canary') shop.main.canary", 'it\'s "a.b.c.d.e" -- f', "1.2.3.4.5"]
)
def test_dots_and_quotes_in_the_name_of_a_table(shop: duckdb.DuckDBPyConnection, name: str) -> None:
    place = '"' + name.replace('"', '""') + '"'
    shop.execute(f"create table {place} as from order_lines")
    custseg_duck.run(name, con=shop, k=2, **QUICK)
    assert customers(shop) == NUMBERS
    assert custseg_duck.refresh(con=shop).is_unchanged


@pytest.mark.parametrize(("name", "twin"), [("É", "é"), ("\u212a", "k")])
def test_duckdb_folds_a_to_z_alone(shop: duckdb.DuckDBPyConnection, name: str, twin: str) -> None:
    shop.execute(f'create table "{name}" as from order_lines')
    shop.execute(f'create table "{twin}" as {DECOY}')
    custseg_duck.run(name, con=shop, k=2, **QUICK)
    assert customers(shop) == NUMBERS
    shop.execute(
        f"create table mapped as select * exclude (customer_id, product_id), "
        f'customer_id as "{name}", \'decoy\' as "{twin}", product_id from order_lines'
    )
    custseg_duck.run("mapped", con=shop, k=2, columns={"customer_id": name}, **QUICK)
    assert customers(shop) == NUMBERS
    found = custseg_duck.frequent_itemsets("mapped", con=shop, item=twin, max_length=1).fetchall()
    assert [items for _, items, *_ in found] == [["decoy"]] or "decoy" in str(found)


def test_features_that_differ_in_a_letter_with_an_accent(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute(
        'create table own as select customer as customer_id, customer % 7 as "É", '
        '-customer as "é" from range(30) as customers (customer)'
    )
    custseg_duck.run(features="own", con=shop, k=2, include=["É"], **QUICK)
    found = shop.execute("select distinct feature from custseg.centroids").fetchall()
    assert found == [("É",)]
    scored = shop.execute(
        "select count(*) from custseg.score('own') as scored inner join custseg.segments as mine "
        "using (customer_id) where scored.segment = mine.segment"
    ).fetchall()
    assert scored == [(30,)]


def test_a_file_is_read_by_its_name_even_if_that_is_a_pattern(
    shop: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    shop.execute(f"copy ({DECOY}) to '{tmp_path}/lines1.parquet'")
    shop.execute(f"copy order_lines to '{tmp_path}/lines[1].parquet'")
    custseg_duck.run(tmp_path / "lines[1].parquet", con=shop, k=2, **QUICK)
    assert customers(shop) == NUMBERS
    custseg_duck.export_model(shop, tmp_path / "model[1].json")
    (tmp_path / "model1.json").write_text("no model")
    assert custseg_duck.import_model(shop, tmp_path / "model[1].json", name="own") == ("own", 1)


def test_a_refresh_reads_the_table_that_the_run_read(
    shop: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    shop.execute(f"create schema sales; create table sales.order_lines as {DECOY}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "order_lines").mkdir()  # a folder of that name is another thing
    shop.execute(f"copy ({DECOY}) to 'order_lines/lines.parquet'")
    shop.execute("use sales")
    assert custseg_duck.refresh(con=shop, fit="matched").is_unchanged
    custseg_duck.refresh(con=shop, fit="matched", min_support=0.5)
    assert customers(shop) == NUMBERS


def test_a_name_of_several_lines_is_told_as_a_whole(
    shop: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    with pytest.raises(InputError, match=r"^model_name must .* got one\ntwo \[no-model\]$"):
        custseg_duck.export_model(shop, tmp_path / "model.json", name="one\ntwo")


@pytest.mark.parametrize("name", ["order_lines;_x", "order_lines; drop table order_lines"])
def test_several_statements_are_no_name(shop: duckdb.DuckDBPyConnection, name: str) -> None:
    with pytest.raises(InputError, match="must be a table or view that exists"):
        custseg_duck.run(name, con=shop, k=2, **QUICK)


def test_itemsets_need_a_table_with_a_name(shop: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(InputError, match="into must be the name of a table, got ''"):
        custseg_duck.frequent_itemsets("order_lines", con=shop, into="")


def test_a_collation_is_refused(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("set default_collation = 'nocase'")
    refused = r"default_collation must be empty, got nocase.* \[option\]"
    with pytest.raises(InputError, match=refused):
        custseg_duck.run("order_lines", con=shop, k=2)
    for called in ("baskets('order_lines')", "item_names('order_lines')", "rfm('order_lines')",
                   "fingerprint('order_lines')"):  # fmt: skip
        with pytest.raises(duckdb.InvalidInputException, match=refused):
            shop.execute(f"from custseg.{called}").fetchall()


@pytest.mark.parametrize(
    "change", [{"shift": [0.0, None]}, {"precision_rows": [[1.0, 2.0, 3.0], [4.0]]},
               {"precision_rows": [[1.0, None], [0.0, 1.0]]}],
)  # fmt: skip
def test_a_mixture_with_holes_is_no_model(change: dict[str, list[object]]) -> None:
    with custseg_duck.connect() as con:
        make_shop(con)
        custseg_duck.run(
            "order_lines", con=con, k=2, algorithm="gmm", include=["monetary", "recency_days"],
            **QUICK,
        )  # fmt: skip
        ((model,),) = con.execute("select model from custseg.models").fetchall()
        model["components"][1] |= change
        con.execute("update custseg.models set model = $model, checksum = null", {"model": model})
        with pytest.raises(duckdb.InvalidInputException, match="must have finite precisions"):
            con.execute("from custseg.score('custseg.customer_features')").fetchall()
