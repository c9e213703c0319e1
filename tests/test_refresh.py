"""refresh: segments that keep their numbers and names, and say who moved."""

import itertools
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from sklearn.cluster import KMeans

import custseg_duck
from custseg_duck import CustsegWarning, InputError
from custseg_duck.udfs import kmeans, matching
from tests.conftest import QUICK
from tests.test_run import snapshot

MORE = """
    insert into order_lines
    select * replace (
        order_id + 1_000_000 as order_id, ordered_at + interval 20 day as ordered_at
    )
    from order_lines
    where customer_id % 20 = 0
"""


def grow(con: duckdb.DuckDBPyConnection) -> None:
    """Later orders of three customers, and one newcomer."""
    con.execute(MORE)
    con.execute(
        "insert into order_lines select * replace (999 as customer_id, 99900 as order_id) "
        "from order_lines where order_id = 100"
    )


def rows(con: duckdb.DuckDBPyConnection, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    return con.execute(query, parameters).fetchall()


def test_a_refresh_keeps_numbers_and_tells_who_moved(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=3, **QUICK)
    before = dict(rows(shop, "select customer_id, segment from custseg.segments"))
    grow(shop)
    result = custseg_duck.refresh(con=shop)
    assert not result.is_unchanged
    after = dict(rows(shop, "select customer_id, segment from custseg.segments"))
    assert len(after) == 61
    moves = Counter((before.get(c), after.get(c)) for c in before.keys() | after.keys())
    sizes = Counter(before.values())
    assert sorted(
        result.migration.project("from_segment, to_segment, n_customers, share").fetchall(),
        key=str,
    ) == sorted(
        ((a, b, n, n / sizes[a] if a is not None else None) for (a, b), n in moves.items()),
        key=str,
    )
    assert rows(shop, "select fit, previous_run_id, model_version from custseg.runs") == [
        ("new", None, 1),
        ("warm", 1, 2),
    ]
    assert rows(
        shop, "select segment, previous_segment from custseg.segment_matches order by 1"
    ) == [(i, i) for i in range(3)]
    # the macro says the same of any two relations
    shop.execute(
        "create temp view b as from custseg.segment_history where run_id = 1; "
        "create temp view a as from custseg.segment_history where run_id = 2"
    )
    assert sorted(
        rows(shop, "select from_segment, to_segment, n_customers, share "
                   "from custseg.segment_migration('b', 'a')"),
        key=str,
    ) == sorted(
        result.migration.project("from_segment, to_segment, n_customers, share").fetchall(),
        key=str,
    )  # fmt: skip


@pytest.mark.parametrize("fit", ["warm", "matched", "frozen"])
def test_a_refresh_of_an_unchanged_shop_changes_nothing(
    shop: duckdb.DuckDBPyConnection, fit: Any
) -> None:
    custseg_duck.run("order_lines", con=shop, k=3, exclude_items=[3], weights={"monetary": 2})
    before = snapshot(shop)
    result = custseg_duck.refresh(con=shop, fit=fit)
    assert result.is_unchanged
    assert snapshot(shop) == before
    assert not custseg_duck.refresh(con=shop, exclude_items=[4]).is_unchanged
    assert snapshot(shop) != before


def test_the_order_of_rows_is_no_change_but_a_row_is(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    shop.execute("create or replace table order_lines as from order_lines order by hash(order_id)")
    assert custseg_duck.refresh(con=shop).is_unchanged
    shop.execute("update order_lines set amount = amount + 1 where order_id = 100")
    assert not custseg_duck.refresh(con=shop).is_unchanged


def test_a_frozen_model_only_assigns(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=3, **QUICK)
    model = rows(shop, "select model from custseg.models")
    grow(shop)
    custseg_duck.refresh(con=shop, fit="frozen")
    assert rows(shop, "select model from custseg.models") == model
    assert rows(
        shop,
        "select count(*), count(*) filter (scored.segment = stored.segment) "
        "from custseg.score('custseg.customer_features', 'default') as scored "
        "inner join custseg.segments as stored using (customer_id)",
    ) == [(61, 61)]
    # then it is worth fitting again
    assert not custseg_duck.refresh(con=shop, fit="warm").is_unchanged


def test_lines_after_as_of_reach_nothing(shop: duckdb.DuckDBPyConnection) -> None:
    moment = "2024-01-20"
    custseg_duck.run("order_lines", con=shop, k=3, as_of=moment, min_support=0.02)
    before = snapshot(shop)
    shop.execute(
        "insert into order_lines select * replace (order_id + 5000 as order_id, "
        "greatest(ordered_at, timestamp '2024-01-20') as ordered_at, 1000 as amount) "
        "from order_lines"
    )
    custseg_duck.run("order_lines", con=shop, k=3, as_of=moment, min_support=0.02)
    after = snapshot(shop)
    once_more = {"runs", "segment_history", "models"}
    assert {name: found for name, found in before.items() if name not in once_more} == {
        name: found for name, found in after.items() if name not in once_more
    }
    assert len(after["models"]) == 1  # it is the same one
    lines = [r[:-1] for r in rows(shop, "select is_kept, n_lines, reason from custseg.line_counts")]
    assert (True, sum(n for is_kept, n in lines if is_kept)) in lines


def test_an_edited_label_survives_a_refresh_and_a_run(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=3, **QUICK)
    suggested = dict(rows(shop, "select segment, label from custseg.segment_labels"))
    assert len(set(suggested.values())) == 3
    shop.execute("alter table custseg.segment_labels add column owner varchar")
    shop.execute(
        "update custseg.segment_labels set label = 'Ours', owner = 'Ann' where segment = 1"
    )
    grow(shop)
    custseg_duck.refresh(con=shop)
    query = "select segment, label, owner from custseg.segment_labels order by segment"
    expected = [(0, suggested[0], None), (1, "Ours", "Ann"), (2, suggested[2], None)]
    assert rows(shop, query) == expected
    assert rows(shop, "select distinct label from custseg.labelled_segments where segment = 1") == [
        ("Ours",)
    ]
    custseg_duck.run(
        "order_lines", con=shop, k=3, **QUICK
    )  # anew: numbers may change, the label goes along
    assert ("Ours", "Ann") in rows(shop, "select label, owner from custseg.segment_labels")


def test_a_label_without_a_segment_is_told_of(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=3, **QUICK)
    shop.execute("update custseg.segment_labels set label = 'L' || segment")
    with pytest.warns(CustsegWarning, match=r"labels that were given .* L\d \(segment \d\)"):
        custseg_duck.run("order_lines", con=shop, k=1, **QUICK)
    assert rows(shop, "select count(*) from custseg.segment_labels") == [(1,)]


def test_labels_that_nobody_edited_are_suggested_anew(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=3, **QUICK)
    custseg_duck.run("order_lines", con=shop, k=4, **QUICK)
    assert rows(
        shop, "select count(*), count(*) filter (label = suggested_label) "
        "from custseg.segment_labels"
    ) == [(4, 4)]  # fmt: skip


def test_more_segments_come_after_those_that_were_there(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=3, **QUICK)
    with pytest.warns(CustsegWarning, match="not clearly those that had these numbers"):
        custseg_duck.refresh(con=shop, fit="matched", k=5)
    found = rows(shop, "select segment, previous_segment from custseg.segment_matches order by 1")
    assert found == [(0, 0), (1, 1), (2, 2), (3, None), (4, None)]


def test_refresh_by_itself_knows_what_to_read(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    (tmp_path / "data").mkdir()
    lines = tmp_path / "data" / "lines.parquet"
    duckdb.sql(
        "select i % 20 as visitor, i as order_id, i % (i % 20 + 2) as product_id, "
        "timestamp '2024-01-01' + interval (i) hour as ordered_at from range(2000) as r (i)"
    ).write_parquet(str(lines))
    with custseg_duck.connect(path) as con:
        custseg_duck.run(
            lines, con=con, columns={"customer_id": "visitor"}, k=2, max_length=None,
            transforms={"frequency": "log"}, name="visits",
        )  # fmt: skip
    command = [sys.executable, "-m", "custseg_duck.cli", "refresh", "-d", str(path), "--name"]
    done = subprocess.run([*command, "visits"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Nothing has changed since the last run" in done.stderr, done.stderr
    done = subprocess.run(
        [*command, "visits", "--as-of", "2024-02-01", "--quiet"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    assert all(line.startswith("Note: ") for line in done.stderr.splitlines())
    done = subprocess.run([*command, "nope"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "name must be that of an earlier run (visits), got 'nope'" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "nope"}, r"earlier run \(default\), got 'nope'"),
        ({"fit": "cold"}, "fit must be one of warm, matched, frozen, got 'cold'"),
        ({"k": 4}, "only change under fit='matched', got k with fit='warm'"),
        ({"fit": "frozen", "seed": 4, "include": ["monetary"]}, "got include, seed with"),
        ({"colour": 1}, "must be options of run .*, got colour"),
        ({"min_support": 2}, r"min_support must be in \(0, 1\]"),
        ({"source": "nowhere"}, "must be a table or view that exists"),
    ],
)
def test_wrong_refreshes_are_refused(
    shop: duckdb.DuckDBPyConnection, options: dict[str, Any], message: str
) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    before = snapshot(shop)
    with pytest.raises(InputError, match=message):
        custseg_duck.refresh(con=shop, **options)
    assert snapshot(shop) == before


def test_a_source_without_a_name_must_be_given_again(shop: duckdb.DuckDBPyConnection) -> None:
    lines = shop.sql("from order_lines").to_arrow_table()
    custseg_duck.run(lines, con=shop, k=2)
    with pytest.raises(InputError, match=r"source must be given, .* It was pyarrow"):
        custseg_duck.refresh(con=shop)
    assert custseg_duck.refresh(lines, con=shop).is_unchanged


def test_a_model_that_was_dropped_or_changed_is_not_gone_on_from(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    grow(shop)
    shop.execute("update custseg.models set model = struct_update(model, n_rows := 7)")
    with pytest.raises(InputError, match="must be as it was fitted, got another checksum"):
        custseg_duck.refresh(con=shop)
    custseg_duck.drop_model(shop)
    with pytest.raises(InputError, match=r"one of the stored ones \(none\)"):
        custseg_duck.refresh(con=shop)
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    assert rows(shop, "select version from custseg.models") == [(2,)]  # 1 is not used again


def test_rfm_cut_points_stay_and_names_are_the_users(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    cuts = rows(shop, "from custseg.rfm_cut_points order by all")
    shop.execute(
        "delete from custseg.rfm_names where rfm_segment <> 'other'; "
        "update custseg.rfm_names set rfm_segment = 'everybody'"
    )
    grow(shop)
    custseg_duck.refresh(con=shop)
    assert rows(shop, "from custseg.rfm_cut_points order by all") == cuts
    assert rows(shop, "select rfm_segment, count(*) from custseg.rfm_segments group by 1") == [
        ("everybody", 61)
    ]
    custseg_duck.run("order_lines", con=shop, k=2, **QUICK)
    assert rows(shop, "from custseg.rfm_cut_points order by all") != cuts


def _model(centers: Any, **feature: Any) -> dict[str, Any]:
    step = {
        "name": "x", "department": None, "transform": "identity", "fill": 0.0, "unit": 1.0,
        "center": 0.0, "scale": 1.0, "weight": 1.0,
    }  # fmt: skip
    return {
        "algorithm": "kmeans",
        "features": [step | {"name": f"x{j}"} | feature for j in range(len(centers[0]))],
        "components": [{"center": list(center), "weight": 1.0} for center in centers],
    }


def test_matches_are_the_least_of_all_assignments() -> None:
    rng = np.random.default_rng(3)
    for k_new, k_old in itertools.product(range(1, 6), repeat=2):
        new, old = rng.normal(size=(k_new, 3)), rng.normal(size=(k_old, 3))
        found = matching.match(_model(new), _model(old))
        distances = np.linalg.norm(new[:, None] - old[None], axis=2)
        n = min(k_new, k_old)
        least = min(
            sum(distances[i, j] for i, j in zip(left, right, strict=True))
            for left in itertools.combinations(range(k_new), n)
            for right in itertools.permutations(range(k_old), n)
        )
        assert sum(m.distance or 0 for m in found) == pytest.approx(least)
        pairs = [m.previous_segment for m in found if m.previous_segment is not None]
        assert len(pairs) == len(set(pairs)) == n
        again = matching.match(matching.renumbered(_model(new), found), _model(old))
        numbers = [m.previous_segment for m in again]
        assert numbers[:n] == sorted(j for j in numbers if j is not None)


def test_centres_on_other_scales_are_compared_in_their_own_unit() -> None:
    # 30 and 40 in the unit of x: 3 and 4 on a scale of 10; (30 - 35) / 5 = -1, (40 - 35) / 5 = 1
    tens = _model([[4.0], [3.0]], scale=10.0)
    around = _model([[-1.0], [1.0]], center=35.0, scale=5.0)
    assert [(m.previous_segment, m.distance) for m in matching.match(around, tens)] == [
        (1, 0.0), (0, 0.0)
    ]  # fmt: skip
    # on a scale of logarithms, with a weight: 2 ln(1 + 30 / 3) and 2 ln(1 + 40 / 3) over 4
    logs = _model(
        [[math.log(11) / 2], [math.log(43 / 3) / 2], [-math.log(11) / 2]],
        transform="log", unit=3.0, weight=2.0, scale=4.0,
    )  # fmt: skip
    tens = _model([[4.0], [3.0], [-3.0]], scale=10.0)
    for new, old in ((logs, tens), (tens, logs)):
        found = matching.match(new, old)
        assert [m.previous_segment for m in found] == [1, 0, 2]
        assert [m.distance for m in found] == pytest.approx([0] * 3, abs=1e-12)
    # 4 is at 2 where it weighs half as much
    assert matching.match(_model([[1.5]], weight=0.5), _model([[4.0]]))[0].distance == 0.5
    with pytest.raises(ValueError, match=r"must have a feature in common .* got x0 against y"):
        matching.match(around, _model([[1.0]], name="y"))


def test_a_refit_is_lloyds_from_the_centres_before() -> None:
    rng = np.random.default_rng(5)
    points = rng.normal(size=(500, 4)) + 3 * rng.integers(0, 3, (500, 1))
    model = kmeans.fit(points.copy(), 4)
    moved = points + rng.normal(scale=0.3, size=points.shape) + 0.5
    start = np.array([component["center"] for component in model["components"]])
    expected = KMeans(4, init=start, n_init=1, tol=0, algorithm="lloyd").fit(moved)
    found = matching.refitted(moved.copy(), model)
    centers = np.array([component["center"] for component in found["components"]])
    assert centers == pytest.approx(expected.cluster_centers_)
    assert [component["n"] for component in found["components"]] == np.bincount(
        expected.labels_
    ).tolist()
    again = matching.refitted(moved.copy(), found)
    assert again["components"] == found["components"]


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_a_mixture_goes_on_from_where_it_was(
    shop: duckdb.DuckDBPyConnection, covariance_type: str
) -> None:
    options: dict[str, Any] = {"algorithm": "gmm", "covariance_type": covariance_type, "k": 2}
    options["include"] = ["monetary", "mean_order_value", "recency_days"]
    custseg_duck.run("order_lines", con=shop, **options)
    before = rows(shop, "select customer_id, segment from custseg.segments order by 1")
    shop.execute("update order_lines set amount = amount * 1.01 where customer_id = 7")
    custseg_duck.refresh(con=shop)
    after = rows(shop, "select customer_id, segment from custseg.segments order by 1")
    assert sum(a == b for a, b in zip(before, after, strict=True)) >= 57
    ((reached, problem),) = rows(
        shop,
        "select model.log_likelihood, custseg.check_model(model) from custseg.latest_models",
    )
    assert problem == "ok"
    ((before_it,),) = rows(
        shop,
        "select sum(ln(list_sum(list_transform(custseg.log_densities(model, vectors.features), "
        "lambda d: exp(d))))) from custseg.apply_transform('custseg.customer_features', "
        "(select model.features from custseg.models where version = 1)) as vectors "
        "cross join (from custseg.models where version = 1)",
    )
    assert reached > before_it - 1e-6  # of the model before, on what the shop holds now


def test_a_recentred_model_assigns_alike() -> None:
    rng = np.random.default_rng(11)
    points = rng.normal(size=(300, 3)) + np.array([5, 0, -2])
    model = kmeans.fit(points.copy(), 3)
    shifted = matching.recentred(model)
    middle = points.mean(axis=0)
    assert [f["center"] for f in shifted["features"]] == pytest.approx(middle.tolist())
    centers = np.array([c["center"] for c in model["components"]])
    assert np.array([c["center"] for c in shifted["components"]]) == pytest.approx(centers - middle)


def test_the_sql_door_matches_and_renumbers(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("create table features as from custseg.customer_features('order_lines')")
    shop.execute(
        "create table old as select custseg.kmeans_fit(features, k := 3, transform := transform) "
        "as model from custseg.feature_vectors('features')"
    )
    shop.execute(
        "create table new as select custseg.kmeans_fit(features, k := 3, seed := 5, "
        "transform := transform) as model from custseg.feature_vectors('features')"
    )
    shop.execute(
        "create table numbered as select custseg.renumbered(new.model, "
        "custseg.match_segments(new.model, old.model)) as model from new cross join old"
    )
    assert rows(
        shop,
        "select list_transform(custseg.match_segments(numbered.model, old.model), "
        "lambda m: m.previous_segment) from numbered cross join old",
    ) == [([0, 1, 2],)]
    assert rows(
        shop,
        "select custseg.refit(features, model).components = any_value(model.components) "
        "from custseg.feature_vectors('features') cross join old",
    ) == [(True,)]
    assert rows(shop, "select custseg.match_segments(null, model) from old") == [(None,)]
    with pytest.raises(duckdb.InvalidInputException, match="must be the one to go on from, got N"):
        rows(shop, "select custseg.refit([1.0, 2.0], null)")


def test_a_refresh_reads_each_line_once(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("create sequence lines_read")
    shop.execute("create view counted as from order_lines where nextval('lines_read') > 0")

    def n_read() -> int:
        ((number,),) = rows(shop, "select nextval('lines_read')")
        return int(number)

    custseg_duck.run("counted", con=shop, k=3)
    before = n_read()
    assert custseg_duck.refresh(con=shop).is_unchanged
    between = n_read()
    assert between - before == 900 + 1  # and the one that asked
    grow(shop)
    custseg_duck.refresh(con=shop)
    ((n_lines,),) = rows(shop, "select count(*) from order_lines")
    assert n_read() - between == n_lines + 1
