"""What was found to break, or to answer wrongly in silence: each once."""

import datetime
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custseg_duck
from custseg_duck import InputError, QueryError
from custseg_duck.layouts import COLUMNS
from tests.conftest import QUICK, is_thorough

SQL = Path(__file__).parent.parent / "sql"
TEXTS = {path.stem: path.read_text() for path in SQL.rglob("*.sql") if path.parent.name != "run"}


def ctes_of(text: str) -> set[str]:
    """The names of the CTEs in a file; custseg_ is a prefix of our own."""
    return set(
        re.findall(
            r"^\s*(?:with )?(?:recursive )?((?!custseg_)\w+) as (?:not )?(?:materialized )?\($",
            text,
            re.MULTILINE,
        )
    )


def macros_within(macro: str) -> set[str]:
    """A macro and all that it is made of."""
    found, waiting = {macro}, [macro]
    while waiting:
        called = set(re.findall(r"custseg\.(\w+)\(", TEXTS[waiting.pop()])) & set(TEXTS) - found
        found |= called
        waiting += called
    return found


CTES = sorted({name for text in TEXTS.values() for name in ctes_of(text)})
OVER = {
    "main.order_lines": (
        "order_lines", "classified_lines", "line_report", "orders", "rfm", "purchase_frequency",
        "product_diversity", "department_preferences", "timing", "customer_features", "baskets",
        "item_names", "frequent_itemsets", "customer_purchases", "item_levels", "sequences",
        "preference_counts",
    ),
    "custseg.customer_features": (
        "feature_transform", "feature_vectors", "score", "feature_histograms", "feature_drift",
        "explain", "target_list", "rfm_cut_points", "segment_association",
    ),
    "custseg.itemsets": ("association_rules",),
    "custseg.segments": (
        "segment_summary", "segment_profiles", "segment_rules", "segment_migration",
        "segment_preferences", "decision_tree",
    ),
    "custseg.centroids": ("suggested_labels", "segment_descriptions"),
    "custseg.rfm_names": ("rfm_segments",),
    "custseg.offer_rules": ("recommendations", "recommend"),
    "custseg.models": ("centroids",),
}  # fmt: skip

Rows = list[tuple[object, ...]]


@pytest.fixture(scope="module")
def segmented(
    complete_journey: Path,
) -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, Rows]]]:
    """A shop with a run in it, and what each macro gives for a relation of a neutral name."""
    with custseg_duck.connect() as con:
        con.execute(f"attach '{complete_journey}' as file (read_only)")
        con.execute(
            "create table order_lines as from file.main.order_lines "
            "where customer_id < 20 and product_id % 3 = 0"
        )
        custseg_duck.run("order_lines", con=con, k=3)
        expected = {
            macro: rows(con, macro, relation)
            for relation, macros in OVER.items()
            for macro in macros
        }
        yield con, expected


def rows(con: duckdb.DuckDBPyConnection, macro: str, relation: str) -> Rows:
    arguments = {
        "segment_summary": f"'custseg.customer_features', '{relation}'",
        "segment_profiles": f"'custseg.customer_features', '{relation}'",
        "segment_rules": f"'main.order_lines', '{relation}'",
        "recommendations": f"'main.order_lines', '{relation}'",
        "feature_drift": f"'{relation}', 'custseg.customer_features'",
        "explain": f"7, features := '{relation}'",
        "target_list": f"features := '{relation}'",
        "segment_association": f"'custseg.segments', '{relation}'",
        "segment_migration": f"'custseg.segments', '{relation}'",
        "segment_preferences": f"'main.order_lines', '{relation}'",
        "decision_tree": f"'custseg.customer_features', '{relation}'",
        "segment_descriptions": f"'custseg.segment_summary', '{relation}'",
        "rfm_segments": f"'custseg.customer_features', 'custseg.rfm_cut_points', '{relation}'",
        "recommend": f"[852159], '{relation}'",
    }.get(macro, f"'{relation}'")
    return con.execute(f"from custseg.{macro}({arguments}) order by all").fetchall()


def test_there_are_ctes_to_try() -> None:
    assert len(CTES) > 40
    assert {"possible_sets", "column_types", "growing_pairs", "customer_orders"} <= set(CTES)


NAMES_WITHIN = {
    macro: {name for part in macros_within(macro) for name in ctes_of(TEXTS[part])}
    | {"lines", "orders", "baskets", "b"}
    for macros in OVER.values()
    for macro in macros
}


ALL_NAMES = sorted(set().union(*NAMES_WITHIN.values()))


# of so many names every third, that house style alone keeps from being taken for the user's
@pytest.mark.parametrize("name", ALL_NAMES if is_thorough() else ALL_NAMES[::3])
def test_a_table_named_like_a_cte_is_read_all_the_same(
    segmented: tuple[duckdb.DuckDBPyConnection, dict[str, Rows]], name: str
) -> None:
    con, expected = segmented
    for relation, macros in OVER.items():
        # a name can be taken for that of a CTE only in a macro that has one
        named_alike = [macro for macro in macros if name in NAMES_WITHIN[macro]]
        if named_alike:
            con.execute(f"create or replace temp table {name} as from {relation}")
        for macro in named_alike:
            assert rows(con, macro, name) == expected[macro], macro
    con.execute(f"drop table temp.main.{name}")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize(
    ("value", "time_zone", "expected"),
    [
        ("timestamptz '2024-06-15 13:00:00+00'", "null", "2024-06-15 13:00:00"),
        ("timestamptz '2024-06-15 13:00:00+00'", "'America/New_York'", "2024-06-15 09:00:00"),
        ("timestamp '2024-06-15 13:00:00'", "null", "2024-06-15 13:00:00"),
        ("timestamp '2024-06-15 13:00:00'", "'America/New_York'", "2024-06-15 09:00:00"),
        ("'2024-06-15T13:00:00+02:00'", "null", "2024-06-15 11:00:00"),
        ("'2024-06-15 13:00:00Z'", "null", "2024-06-15 13:00:00"),
        ("'2024-06-15'", "null", "2024-06-15 00:00:00"),
        ("date '2024-06-15'", "null", "2024-06-15 00:00:00"),
    ],
)
def test_times_do_not_depend_on_the_sessions_zone(
    con: duckdb.DuckDBPyConnection, zone: str, value: str, time_zone: str, expected: str
) -> None:
    con.execute("set timezone = $zone", {"zone": zone})
    assert con.execute(
        f"select custseg.to_timestamp({value}, 'ordered_at', {time_zone})::varchar"
    ).fetchall() == [(expected,)]


def test_a_cut_off_with_a_zone_is_taken_to_the_shops_clock(shop: duckdb.DuckDBPyConnection) -> None:
    # 2024-01-06 23:00 in New York
    instant = datetime.datetime(2024, 1, 7, 4, tzinfo=datetime.UTC)
    zone = "America/New_York"
    expected = custseg_duck.run(
        "order_lines", con=shop, k=2, as_of="2024-01-06 23:00:00", time_zone=zone
    ).features.fetchall()
    shop.execute("set timezone = 'Asia/Tokyo'")
    found = custseg_duck.run("order_lines", con=shop, k=2, as_of=instant, time_zone=zone)
    assert found.features.fetchall() == expected


@pytest.mark.parametrize(
    "setting", ["default_order = 'desc'", "default_null_order = 'nulls_first'"]
)
def test_settings_of_the_session_change_nothing(
    shop: duckdb.DuckDBPyConnection, setting: str
) -> None:
    expected = custseg_duck.run("order_lines", con=shop, k=3, name="before")
    tables = ("customer_features", "segments", "itemsets", "rules", "segment_profiles")
    shop.execute(f"set {setting}")
    custseg_duck.run("order_lines", con=shop, k=3, name="after")
    for table in tables:
        before, after = (
            shop.execute(
                f"select * exclude (run_name) from custseg.{table} where run_name = '{name}' "
                "order by all"
            ).fetchall()
            for name in (expected.name, "after")
        )
        assert before == after


def test_a_macro_of_the_users_cannot_take_a_functions_place(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    query = (
        "select custseg.kmeans_fit(features, k := 2) "
        "from custseg.feature_vectors('custseg.customer_features')"
    )
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    expected = shop.execute(query).fetchall()
    shop.execute("create macro main.custseg_kmeans_fit(a, b, c, d) as 42")
    assert shop.execute(query).fetchall() == expected


def test_a_result_that_is_half_read_does_not_keep_load_from_loading() -> None:
    with duckdb.connect() as con:
        con.execute("from range(100000)").fetchmany(1)
        custseg_duck.load(con)
        assert con.execute("select custseg.version()").fetchall()


@pytest.mark.parametrize("fit", ["kmeans_fit", "gmm_fit"])
def test_vectors_that_are_made_within_the_query_may_be_null(
    con: duckdb.DuckDBPyConnection, fit: str
) -> None:
    con.execute(f"""
        create table points as
        select point, [point % 5, point % 3]::double[] as features
        from range(100) as points (point);
        create table models as
        select custseg.{fit}(features, k := 2) as model from points;
        create table stored as
        select point, case when point % 7 <> 0 then features end as features from points
    """)
    functions = ["assign", "distances"]
    functions += ["log_densities", "probabilities"] if fit == "gmm_fit" else []
    for function in functions:
        expected, found = (
            con.execute(
                f"select custseg.{function}(model, features) from {relation}, models order by point"
            ).fetchall()
            for relation in (
                "stored",
                "(select point, case when point % 7 <> 0 then features end as features "
                "from points)",
            )
        )
        assert found == expected
        assert sum(value is not None for (value,) in found) == 85


def test_a_model_may_get_more_fields(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    shop.execute("create table models as select name, model from custseg.models")
    query = "from custseg.score('custseg.customer_features', models := 'models') order by all"
    expected = shop.execute(query).fetchall()
    shop.execute("alter table models add column model.note varchar")
    assert shop.execute(query).fetchall() == expected


def test_no_parameter_of_a_macro_is_called_like_a_column() -> None:
    """Within ``query_table`` the parameter would win over the column, in silence."""
    columns = {*chain.from_iterable(COLUMNS.values()), "features_of", "left_out", "is_return"}
    for name, text in TEXTS.items():
        signature = re.search(r"macro custseg\.\w+\(([^;]*?)\)\s+as table", text)
        if signature and "query_table" in text:
            parameters = {one.split(":=")[0].strip() for one in signature[1].split(",")}
            assert not parameters & columns, name


def test_a_load_that_is_rolled_back_would_break_the_connection(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as con:
        con.execute("begin")
        with pytest.raises(InputError, match="outside a transaction the first time"):
            custseg_duck.load(con)
        con.execute("rollback")
        custseg_duck.load(con)
        con.execute("begin")
        custseg_duck.load(con)
        con.execute("rollback")
        assert con.execute("select custseg.version()").fetchall()


def test_an_aborted_transaction_is_an_open_one(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("begin")
    with pytest.raises(duckdb.Error):
        shop.execute("select error('no')").fetchall()
    with pytest.raises(InputError, match="outside a transaction"):
        custseg_duck.run("order_lines", con=shop)


def test_a_data_file_is_no_database(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "lines.parquet")
    with pytest.raises(custseg_duck.CustsegError, match=r"DuckDB database|cannot open"):
        custseg_duck.connect(tmp_path / "lines.parquet")


def test_a_read_only_database_is_refused(shop: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    custseg_duck.connect(tmp_path / "shop.duckdb").close()
    with custseg_duck.connect(tmp_path / "shop.duckdb", read_only=True) as con:
        lines = shop.sql("from order_lines").to_arrow_table()
        with pytest.raises(InputError, match="must be able to write"):
            custseg_duck.run(lines, con=con)


def test_a_file_of_another_process_is_a_clear_error(tmp_path: Path) -> None:
    program = (
        "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "shop.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout
        other.stdout.readline()
        with pytest.raises(custseg_duck.CustsegError, match=r"cannot open .* lock"):
            custseg_duck.connect(tmp_path / "shop.duckdb")
        other.communicate(b"\n")


def test_a_users_own_table_in_the_way_is_named(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("create view custseg.segments as select 1 as run_name")
    with pytest.raises(QueryError, match=r"publish: .*segments"):
        custseg_duck.run("order_lines", con=shop, k=2)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "custseg_duck.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_names_that_look_like_markup_are_only_names(tmp_path: Path) -> None:
    lines = pa.table(
        {
            # tea with b in twenty orders, c alone in as many
            "customer_id": [order % 3 for order in range(20)] * 2
            + [order % 3 for order in range(20)],
            "order_id": [*range(20), *range(20), *range(20, 40)],
            "product_id": [1] * 20 + [2] * 20 + [3] * 20,
            "amount": [*range(1, 61)],
            "product_name": ["[/x] [bold]tea"] * 20 + ["b"] * 20 + ["c"] * 20,
        }
    )
    pq.write_table(lines, tmp_path / "lines.parquet")
    shown = command("run", str(tmp_path / "lines.parquet"), "-d", str(tmp_path / "s.db"), "-k", "2")
    assert (shown.returncode, shown.stderr.strip()) == (0, "")
    assert "[/x] [bold]tea" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("missing.parquet",), 1, "Error: source must be readable, got missing.parquet: No files"),
        (("x[/bold]",), 1, "Error: source must be a table or view that exists, got 'x[/bold]'"),
        (("t", "-k", "0"), 1, "Error: k must be an int in the range [1, inf), got 0"),
        (("t", "-k", "many"), 2, "must be a whole number or auto, got many"),
        (("t", "--map", "customer"), 2, "must be like customer_id=household_id, got customer"),
        (("t", "--max-length", "few"), 2, "must be a whole number or none, got few"),
    ],
)
def test_the_commands_errors_are_one_line_and_an_exit_code(
    tmp_path: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    done = command("run", *arguments, "-d", str(tmp_path / "shop.duckdb"))
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    if code == 1:
        assert len(done.stderr.strip().splitlines()) == 1
