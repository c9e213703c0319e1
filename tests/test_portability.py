"""What a run leaves, in a plain DuckDB process that has never heard of custseg_duck."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import custseg_duck

PLAIN = """
import duckdb, json, sys
con = duckdb.connect()
con.execute(f"attach '{sys.argv[1]}' as shop (read_only)")
for statement in json.loads(sys.argv[2]):
    rows = con.execute(statement).fetchall()
print(json.dumps(rows, default=str))
assert "custseg_duck" not in sys.modules
"""

TABLE_MACROS = (
    "order_lines", "classified_lines", "line_report", "orders", "rfm", "purchase_frequency",
    "product_diversity", "department_preferences", "timing", "customer_features", "baskets",
    "item_names", "frequent_itemsets",
)  # fmt: skip


@pytest.fixture
def file(shop: duckdb.DuckDBPyConnection, tmp_path: Path) -> Path:
    """A file that a run was made in, and closed."""
    path = tmp_path / "shop.duckdb"
    shop.execute(f"attach '{path}' as file; create table file.order_lines as from order_lines")
    shop.execute("detach file")
    with custseg_duck.connect(path) as con:
        custseg_duck.run("order_lines", con=con, k=3, min_support=0.02)
    return path


def plainly(path: Path, *statements: str) -> list[list[object]]:
    """The last statement's rows, from a process without custseg_duck."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", PLAIN, str(path), json.dumps(statements)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    rows: list[list[object]] = json.loads(done.stdout)
    return rows


def test_every_table_and_view_reads_from_an_attached_file(file: Path) -> None:
    names = plainly(
        file,
        "select table_name from information_schema.tables "
        "where table_catalog = 'shop' and table_schema = 'custseg'",
    )
    assert len(names) == 27
    counts = " union all ".join(
        f"select '{name}', count(*) from shop.custseg.{name}" for (name,) in names
    )
    for name, n_rows in plainly(file, counts):
        # no rules of this shop are significant, and nobody moved in a first run
        assert n_rows or str(name).startswith("top_") or name == "migrations"


@pytest.mark.parametrize("macro", TABLE_MACROS)
def test_table_macros_run_after_use(file: Path, macro: str) -> None:
    assert plainly(file, "use shop", f"select count(*) from custseg.{macro}('order_lines')")[0][0]


def test_rules_can_be_mined_after_use(file: Path) -> None:
    assert plainly(
        file,
        "use shop",
        "create temp table itemsets as from custseg.frequent_itemsets('order_lines')",
        "select count(*) from custseg.association_rules('temp.main.itemsets')",
    )[0][0]


def test_scalar_macros_run_on_the_attached_file(file: Path) -> None:
    assert plainly(
        file,
        "select shop.custseg.check_model(model), model.features[1].name, "
        "len(shop.custseg.distances(model, model.components[1].center)), "
        "shop.custseg.assign(model, model.components[2].center) from shop.custseg.models",
    ) == [["ok", "recency_days", 3, 1]]
    with custseg_duck.connect(file) as con:
        con.execute(
            "create table mixtures as select custseg.gmm_fit([x], k := 2) as model "
            "from (values (1.0), (1.5), (2.0), (9.0), (10.0)) as points (x)"
        )
    assert plainly(
        file,
        "select shop.custseg.assign(model, [9.0]), len(shop.custseg.distances(model, [9.0])), "
        "round(list_sum(shop.custseg.probabilities(model, [9.0])), 9), "
        "len(shop.custseg.log_densities(model, [9.0])) from shop.mixtures",
    ) == [[1, 2, 1.0, 2]]


def test_new_customers_are_scored_from_shuffled_columns(file: Path) -> None:
    assert plainly(
        file,
        "use shop",
        "create temp table newcomers as select department_share, monetary::decimal(18, 2) as "
        "monetary, recency_days, * exclude (department_share, monetary, recency_days) "
        "from custseg.customer_features",
        "select count(*), count(*) filter (scored.segment = stored.segment) "
        "from custseg.score('temp.main.newcomers') as scored "
        "join custseg.segments as stored using (customer_id)",
    ) == [[60, 60]]


def test_score_refuses_what_it_cannot_use(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=3)
    with pytest.raises(
        duckdb.InvalidInputException, match=r"the stored ones \(default version 1\) .* zork"
    ):
        shop.execute("from custseg.score('custseg.customer_features', 'zork')").fetchall()
    shop.execute("create table few as select customer_id, monetary from custseg.customer_features")
    with pytest.raises(duckdb.InvalidInputException, match="must have all columns of the transf"):
        shop.execute("from custseg.score('few')").fetchall()
    shop.execute("update custseg.models set model = struct_update(model, version := 7)")
    with pytest.raises(duckdb.InvalidInputException, match="version must be 1, got 7"):
        shop.execute("from custseg.score('custseg.customer_features')").fetchall()


def test_two_shops_attached_do_not_mix(file: Path, tmp_path: Path) -> None:
    with custseg_duck.connect(tmp_path / "other.duckdb") as con:
        con.execute(
            "create table order_lines as select i::smallint as customer_id, i as order_id, "
            "i % 2 as product_id, 1.0 * i as amount from range(7) as r (i)"
        )
        custseg_duck.run("order_lines", con=con, k=2)
        con.execute(f"attach '{file}' as shop (read_only)")
        assert con.execute("select count(*) from custseg.segments").fetchall() == [(7,)]
        assert con.execute("select count(*) from shop.custseg.segments").fetchall() == [(60,)]
        result = custseg_duck.run("shop.main.order_lines", con=con, k=3, name="theirs")
        assert result.segments.aggregate("count(*)").fetchall() == [(60,)]
        assert con.execute("select count(*) from custseg.segments").fetchall() == [(67,)]


def test_nothing_is_printed_when_python_ends_with_the_connection_open(tmp_path: Path) -> None:
    program = (
        "import custseg_duck; con = custseg_duck.connect(r'{}'); con.execute('create table t as "
        "select 1 as customer_id, 2 as order_id, 3 as product_id, 4 as amount union all "
        "select 2, 3, 3, 5'); print(custseg_duck.run('t', con=con, k=2))"
    ).format(tmp_path / "shop.duckdb")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 customers in 2 segments" in done.stdout
