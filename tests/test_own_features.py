"""Customers' own features: any wide relation is clustered, with weights and transforms."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

import custseg_duck
from custseg_duck import InputError, MissingColumnError
from custseg_duck.cli import main


@pytest.fixture
def visits(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """80 visitors; the odd ones come often."""
    con.execute("""
        create table visits as
        select
            'c' || i as visitor, 20 + i % 7 as age, 1 + i % 3 + i % 2 * 100 as n_visits,
            'name ' || i as full_name, i % 5 = 0 as is_member
        from range(80) as r (i)
    """)
    return con


def names_and(con: duckdb.DuckDBPyConnection, field: str) -> dict[str, Any]:
    return dict(
        con.execute(
            f"select step.name, step.{field} from "
            "(select unnest(model.features) as step from custseg.models)"
        ).fetchall()
    )


def test_any_wide_relation_is_clustered(visits: duckdb.DuckDBPyConnection) -> None:
    result = custseg_duck.run(
        features="visits", con=visits, columns={"customer_id": "visitor"}, k=2,
        weights={"n_visits": 5},
    )  # fmt: skip
    assert names_and(visits, "weight") == {"age": 1, "n_visits": 5, "is_member": 1}
    parts = visits.execute(
        "select distinct segment, substr(customer_id, 2)::int % 2 from custseg.segments order by 1"
    ).fetchall()
    assert len(parts) == 2
    assert result.summary.project("n_customers, revenue, n_orders").fetchall() == [
        (40, None, None), (40, None, None)
    ]  # fmt: skip
    assert result.itemsets.fetchall() == result.rules.fetchall() == []
    assert visits.execute("select source, n_lines, n_customers from custseg.runs").fetchall() == [
        ("features visits", 0, 80)
    ]
    # new visitors are scored by the stored model, without Python
    scored = visits.execute(
        "select count(*) filter (scored.segment = kept.segment) from "
        "custseg.score('custseg.customer_features') as scored "
        "inner join custseg.segments as kept using (customer_id)"
    ).fetchall()
    assert scored == [(80,)]


def test_what_differs_by_rounding_alone_is_constant(visits: duckdb.DuckDBPyConnection) -> None:
    visits.execute("""
        create table paid as
        select
            visitor as customer_id, n_visits,
            case when n_visits % 2 = 0 then 0.1::double + 0.2::double else 0.3 end as fee,
            1e6 + n_visits % 2 * 1e-5 as precise  -- differs by more than rounding
        from visits
    """)
    assert len(visits.execute("select distinct fee from paid").fetchall()) == 2
    custseg_duck.run(features="paid", con=visits, k=2)
    assert set(names_and(visits, "name")) == {"n_visits", "precise"}
    said = visits.execute(
        "select distinct feature, z_score is null from custseg.segment_profiles order by all"
    ).fetchall()
    assert said == [("fee", True), ("n_visits", False), ("precise", False)]
    # where all is constant, something has to stay, as it is
    custseg_duck.run(features="paid", con=visits, include=["fee"], k=1, name="fees")
    transform = visits.execute(
        "select model.features[1].scale from custseg.models where name = 'fees'"
    ).fetchall()
    assert transform == [(1,)]


def test_transforms_are_the_callers(visits: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run(
        features="visits", con=visits, columns={"customer_id": "visitor"}, k=2,
        include=["age", "n_visits"], transforms={"age": "log", "n_visits": "identity"},
    )  # fmt: skip
    assert names_and(visits, "transform") == {"age": "log", "n_visits": "identity"}


def test_lines_beside_own_features_give_the_itemsets(visits: duckdb.DuckDBPyConnection) -> None:
    visits.execute(
        "create table lines as select 'c' || i % 80 as customer_id, i as order_id, "
        "unnest([1, 2]) as product_id from range(160) as r (i)"
    )
    relation = visits.sql("select visitor as customer_id, n_visits from visits")
    result = custseg_duck.run("lines", features=relation, con=visits, k=2)
    assert names_and(visits, "transform").keys() == {"n_visits"}
    assert result.itemsets.aggregate("count(*)").fetchall() == [(3,)]
    # the run beside it has no itemsets, whose ids would be of no type
    custseg_duck.run(features=relation, con=visits, k=2, name="other")
    custseg_duck.run(features=relation, con=visits, k=2)
    assert visits.execute("select count(*) from custseg.itemsets").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"features": None}, InputError, "must have a source of order lines or features"),
        ({"features": "visit"}, InputError, "table or view that exists, got 'visit'"),
        ({"columns": {}}, MissingColumnError, "features visits must have the columns customer_id"),
        ({"features": "twice"}, InputError, "one row for each visitor and none without, got 160"),
        ({"features": "texts"}, InputError, "features must have a column with values"),
        ({"weights": {"height": 1}}, InputError, "weights must map numeric columns .*'height'"),
        ({"weights": {"full_name": 1}}, InputError, "weights must map numeric columns"),
        ({"weights": {"age": -1}}, InputError, "to numbers above 0, got .*-1"),
        ({"weights": {"age": float("inf")}}, InputError, "to numbers above 0, got .*inf"),
        ({"weights": [1]}, InputError, "weights must be a mapping"),
        ({"transforms": {"age": "sqrt"}}, InputError, "to log or identity, got .*sqrt"),
    ],
)
def test_wrong_features_are_refused(
    visits: duckdb.DuckDBPyConnection, options: Any, error: type[InputError], message: str
) -> None:
    visits.execute("create view twice as from visits union all from visits")
    visits.execute("create view texts as select visitor, full_name from visits")
    right: dict[str, Any] = {"features": "visits", "columns": {"customer_id": "visitor"}, "k": 2}
    with pytest.raises(error, match=message):
        custseg_duck.run(con=visits, **right | options)
    leftovers = "select table_name from duckdb_tables() where temporary"
    assert visits.execute(leftovers).fetchall() == []
    custseg_duck.run(con=visits, **right)


def test_the_command_takes_them(visits: duckdb.DuckDBPyConnection, tmp_path: Any) -> None:
    path = tmp_path / "visits.csv"
    visits.table("visits").write_csv(str(path))
    arguments = ["run", "--features", str(path), "-d", str(tmp_path / "shop.duckdb"), "-k", "2"]
    arguments += ["--map", "customer_id=visitor", "--weight", "age=2", "--transform", "age=log"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    with custseg_duck.connect(tmp_path / "shop.duckdb") as con:
        assert names_and(con, "weight")["age"] == 2
        assert names_and(con, "transform")["age"] == "log"
    wrong = CliRunner().invoke(main, [*arguments, "--weight", "age=heavy"])
    assert wrong.exit_code == 2
    assert "must be like monetary=2, got age=heavy" in wrong.output


@pytest.mark.parametrize("seed", range(20))
def test_quantiles_are_exact(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = [
        rng.normal(size=rng.integers(1, 2000)),
        rng.integers(-3, 4, rng.integers(1, 2000)).astype(float),
        rng.lognormal(0, 5, rng.integers(1, 50)) * rng.choice([-1, 0, 1]),
        rng.uniform(-1e-300, 1e300, 3),
        np.zeros(4),
        np.full(5, -7.5),
    ]
    rows = [(i + 1, float(value)) for i, column in enumerate(columns) for value in column]
    rows += [(1, None), (7, None), (7, None)]
    rng.shuffle(rows)
    positions, values = zip(*rows, strict=True)
    con.register("pairs", pa.table({"position": map(int, positions), "value": values}))
    con.execute("create table wanted as select 'not read' as kind")
    found = con.execute("from custseg.quantiles_of_values('pairs') order by position").fetchall()
    assert [position for position, *_ in found] == [1, 2, 3, 4, 5, 6]
    for column, (_, quantiles, unit, lowest, highest) in zip(columns, found, strict=True):
        assert quantiles == pytest.approx(np.quantile(column, [0.01, 0.5, 0.99]), rel=1e-12)
        sizes = np.abs(column[column != 0])
        assert unit == (pytest.approx(np.median(sizes), rel=1e-12) if len(sizes) else None)
        assert (lowest, highest) == (column.min(), column.max())


def test_a_table_named_like_a_part_is_not_read(visits: duckdb.DuckDBPyConnection) -> None:
    visits.execute("create view people as select visitor as customer_id, * from visits")
    query = "select transform from custseg.feature_transform('people', include := ['age'])"
    expected = visits.execute(query).fetchall()
    for name in ("custseg_values", "value_spans", "binned_values", "feature_rows"):
        visits.execute(f"create table {name} as select 1 as position, 5.0 as value")
    assert visits.execute(query).fetchall() == expected


@pytest.mark.parametrize("name", ["segment", "label", "n_customers", "run_id", "feature", "value"])
def test_a_feature_may_be_called_as_a_column_of_ours(
    con: duckdb.DuckDBPyConnection, name: str, tmp_path: Path
) -> None:
    con.execute(
        f"create table own as select i as customer_id, (i * 7) % 13 as {name}, "
        "(i % 3) * 10 + i % 5 as spend from range(60) as numbers (i)"
    )
    custseg_duck.run(features="own", con=con, k=3)
    sized = "select n_customers from custseg.segment_summary where segment = 1"
    ((n_wanted,),) = con.execute(sized).fetchall()
    assert len(con.execute("from custseg.target_list(['1'])").fetchall()) == n_wanted
    assert con.execute("from custseg.explain(3)").fetchall()
    scored = (
        "select count(*) from custseg.score('own') inner join custseg.segments using (segment, "
    )
    assert con.execute(scored + "customer_id)").fetchall() == [(60,)]
    custseg_duck.export_targets(con, tmp_path / "targets.csv", segments=["1"])
    assert len((tmp_path / "targets.csv").read_text().splitlines()) == n_wanted + 1
    con.execute("update own set spend = spend + 1 where customer_id = 5")
    assert not custseg_duck.refresh(con=con, fit="warm").is_unchanged
    custseg_duck.export_report(con, tmp_path / "report.html")
    assert {one.status for one in custseg_duck.self_check(con)} == {"ok"}
