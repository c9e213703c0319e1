"""A slice of the generated calls, and what they found."""

import random
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import custseg_duck
from custseg_duck.documentation import Header
from tests.hard import calls
from tests.hard.calling import judging, world
from tests.hard.calling.generating import HEADERS, Call, Drawing
from tests.hard.calling.worker import known_columns


@pytest.fixture(scope="module")
def shop_of_calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    path = tmp_path_factory.mktemp("calls") / "shop.duckdb"
    world.build(path)
    with custseg_duck.connect(path) as con:
        yield con


def test_no_call_crashes_hangs_or_is_wrong_in_silence() -> None:
    figure = calls.tried(200, seed=20)
    assert not figure.failures
    assert figure.counts["calls"] == 200
    for kind in (judging.RESULT, judging.OURS, judging.DUCKDB):
        assert figure.counts[kind] > 10, kind


@pytest.mark.parametrize("header", HEADERS, ids=[header.name for header in HEADERS])
def test_every_macro_is_called_with_good_arguments_too(
    shop_of_calls: duckdb.DuckDBPyConnection, header: Header
) -> None:
    con, drawing = shop_of_calls, Drawing(())
    for number in range(100):
        call = drawing.macro_call(random.Random(number), header, 0)
        try:
            rows = con.execute(call.text).fetchall()
        except duckdb.Error:
            continue  # good arguments that do not go together, such as a mixture and K-Means
        if rows:
            return
    pytest.fail(f"add good arguments of {header.name} to tests/hard/calling")


def test_columns_are_those_of_the_header(shop_of_calls: duckdb.DuckDBPyConnection) -> None:
    found = known_columns(shop_of_calls)
    assert len(found) > 50
    for header in HEADERS:
        if header.name in found and header.name != "centroids":
            assert found[header.name], header.name


@pytest.mark.parametrize("kind", [*world.OF_ALL, *world.OF_COLUMN, *world.OF_VALUE])
def test_a_spoiled_relation_can_be_made_again_from_its_name(
    shop_of_calls: duckdb.DuckDBPyConnection, kind: str
) -> None:
    con, name = shop_of_calls, world.spoiled_name("features", kind, 3)
    assert world.make(con, name)
    before = _all_of(con, name)
    assert before != _all_of(con, "features")
    con.execute(f"drop table {name}")
    assert world.make(con, name)
    assert _all_of(con, name) == before


def _all_of(con: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """Columns and rows, as text because NaN is no other NaN."""
    query = f"describe {name}", f"from {name} order by all"
    return [str(con.execute(one).fetchall()) for one in query]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (duckdb.InvalidInputException("n must be at least 1, got 0 [option]"), judging.OURS),
        (duckdb.InvalidInputException("n must be at least 1, got 0"), judging.FOREIGN),
        (duckdb.BinderException("no such column"), judging.DUCKDB),
        (duckdb.InternalException("Attempted to access index 3"), judging.FOREIGN),
        (
            duckdb.InvalidInputException(
                "Python exception occurred while executing the UDF: KeyError: 'x' [option]"
            ),
            judging.FOREIGN,
        ),
        (TypeError("x"), judging.FOREIGN),
    ],
)
def test_errors_are_judged(error: Exception, kind: str) -> None:
    assert judging.of_error(Call("rfm", "from custseg.rfm('lines')"), error).kind == kind


@pytest.mark.parametrize("error", [duckdb.BinderException("x"), ValueError("x")])
def test_of_functions_only_our_errors_are_right(error: Exception) -> None:
    assert judging.of_error(Call("run", "run()"), error).kind == judging.FOREIGN


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"support": 1.5}, "support is not in [0, 1]"),
        ({"mean": float("nan")}, "mean has NaN"),
        ({"features": [1.0, float("inf")]}, "features is infinite"),
        ({"segment": None}, "segment is NULL"),
    ],
)
def test_results_are_judged(row: dict[str, object], problem: str) -> None:
    call = Call("segment_profiles", "from custseg.segment_profiles('a', 'b')")
    outcome = judging.of_rows(call, list(row), [tuple(row.values())], [], lambda _: False)
    assert outcome.kind == judging.WRONG
    assert outcome.detail.startswith(problem)


# --- what the calls found, and stays repaired -----------------------------------------


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select custseg.normal_tail('nan'::double)", "z must be a number, got nan"),
        ("select custseg.fisher_p_value(-1, 2, 1, 10000)", "counts must be 0 <= n_both <="),
        ("select custseg.fisher_p_value('inf'::double, 2, 1, 1)", "counts must be"),
        ("select custseg.hyper_lift(400, 5, 2, -1)", "counts must be 0 <= n_both <="),
        (
            "from custseg.itemset_plan('lines', max_length := 'inf'::double)",
            "max_length must be at least 1 or NULL, got inf",
        ),
        (
            "from custseg.feature_histograms('features', n_bins := 9223372036854775807)",
            "n_bins must be a whole number between 2 and 100",
        ),
        (
            "from custseg.feature_transform('features', include := '[1, 2]')",
            "include must name numeric columns",
        ),
        (
            "from custseg.feature_transform('features', include := ['frequency', null])",
            "include must name numeric columns",
        ),
        (
            "from custseg.feature_transform('features', exclude := [null, 'frequency'])",
            "exclude must name columns",
        ),
        (
            "from custseg.association_rules('impossible_sets')",
            "itemsets must have a support_count from 1 to n_orders, got",
        ),
        (
            "from custseg.association_rules('unlikely_sets')",
            "itemsets must have a representativity from 0 to 1, got 2",
        ),
        (
            "from custseg.association_rules('empty_sets')",
            "itemsets must hold at least one item each, got 1 without any",
        ),
        ("select custseg.distances(null::struct(components struct(center double[])[]), [1.0])",
         "model must be a fitted model, got NULL"),
        ("select custseg.distances(model, ['nan'::double]) from flat_model",
         "features must be finite numbers and model a fitted model"),
        ("select custseg.log_densities(model, ['inf'::double]) from flat_mixture",
         "features must be finite numbers and model a fitted model"),
        ("select custseg.match_segments(model, struct_update(model, components := "
         "model.components || [null])) from flat_model",
         "previous must be a fitted model, got one without finite numbers"),
        ("select custseg.refit(features, struct_update(model, features := null)) "
         "from flat, flat_model", "model must be a fitted model"),
    ],
)  # fmt: skip
def test_bad_arguments_of_macros_are_refused_in_our_words(
    shop_of_calls: duckdb.DuckDBPyConnection, sql: str, message: str
) -> None:
    con = shop_of_calls
    con.execute("""
        create or replace temp table impossible_sets as
        select * replace (n_orders * 2 as support_count) from itemsets;
        create or replace temp table unlikely_sets as
        select * replace (2 as representativity) from itemsets;
        create or replace temp table empty_sets as
        select * replace (if(itemset_id = 1, [], items) as items) from itemsets;
        create or replace temp table flat as
        select [value::double] as features from range(9) as numbers (value);
        create or replace temp table flat_model as
        select custseg.kmeans_fit(features, k := 2) as model from flat;
        create or replace temp table flat_mixture as
        select custseg.gmm_fit(features, k := 2) as model from flat;
    """)
    with pytest.raises(duckdb.InvalidInputException, match="must") as raised:
        con.execute(sql).fetchall()
    assert message in str(raised.value)


def test_more_offers_than_duckdb_can_rank_are_all_offers(
    shop_of_calls: duckdb.DuckDBPyConnection,
) -> None:
    con = shop_of_calls
    most, all_of_them = (
        con.execute(
            f"from custseg.recommendations('lines', 'rules', n := {n}) order by all"
        ).fetchall()
        for n in (50, 2**53)
    )
    assert most
    assert most == all_of_them


def test_segments_are_described_whatever_numbers_they_are_given_as(
    shop_of_calls: duckdb.DuckDBPyConnection,
) -> None:
    con = shop_of_calls
    con.execute("""
        create or replace temp table whole_numbers as
        select * replace (1 as customer_share, 1 as revenue_share, n_customers::double as
            n_customers)
        from summary where segment = 0
    """)
    ((description,),) = con.execute(
        "select description from custseg.segment_descriptions('whole_numbers', 'centroids')"
    ).fetchall()
    assert "customers (100.0%, 100.0% of revenue)" in description


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("connect", {"path": None}, "path must be a text or a path, got None"),
        ("connect", {"path": "a\0b"}, "path must be a text or a path"),
        ("connect", {"read_only": "no"}, "read_only must be True or False, got 'no'"),
        ("load", {"con": 42}, "con must be a connection of DuckDB, got 42"),
        ("load", {"con": "closed"}, "con must be an open connection, got a closed one"),
        ("unload", {"con": None}, "con must be a connection of DuckDB, got None"),
        ("export", {"path": 1.5}, "path must be a text or a path, got 1.5"),
        ("export", {"path": "x" * 5000}, "cannot write"),
        ("export", {"path": "out.duckdb", "tables": 7}, "tables must be names, got 7"),
        ("export", {"path": "out.duckdb", "storage_version": []}, "storage_version must be a text"),
        ("export_model", {"path": []}, r"path must be a text or a path, got \[\]"),
        ("import_model", {"path": {}}, "path must be a text or a path, got {}"),
        ("drop_model", {"name": {1: 2}}, "name must be a text, got {1: 2}"),
        ("drop_model", {"version": "infinity"}, "version must be a whole number of at least 1"),
        ("export_targets", {"path": "a.csv", "segments": -1}, "segments must be a list of labels"),
        ("export_report", {"path": object}, "path must be a text or a path"),
        ("run", {"source": "lines", "columns": 1}, "columns must map names to names, got 1"),
        ("run", {"source": "lines", "progress": 1}, "progress must be callable or None, got 1"),
        ("refresh", {"name": [None]}, r"name must be a text, got \[None\]"),
        ("frequent_itemsets", {"source": "lines", "into": 5}, "into must be a text, got 5"),
        ("self_check", {"con": 1}, "con must be a connection of DuckDB, got 1"),
    ],
)
def test_bad_arguments_of_functions_are_refused_in_our_words(
    shop_of_calls: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    arguments: dict[str, object],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    given = dict(arguments) if name == "connect" else {"con": shop_of_calls} | arguments
    if given.get("con") == "closed":
        given["con"] = duckdb.connect()
        given["con"].close()  # type: ignore[attr-defined]
    with pytest.raises(custseg_duck.InputError, match=message) as raised:
        getattr(custseg_duck, name)(**given)
    assert raised.value.code in ("option", "file")
    assert list(tmp_path.iterdir()) == []
