"""Laws of segments, models and runs."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import custseg_duck
from tests.conftest import QUICK
from tests.hard.laws.comparing import (
    assert_close,
    assert_same,
    law,
    run_segments,
    run_tables,
)
from tests.hard.random_shops import Shop


@law
def customers_of_the_fit_score_into_their_segments(shop: Shop) -> None:
    by_vector = shop.by_key(
        "select customer_id, custseg.assign(model, v.features) as segment, "
        "custseg.distances(model, v.features) as distances "
        "from custseg.feature_vectors('features') as v cross join models", "customer_id",
    )  # fmt: skip
    scored = {row["customer_id"]: row["segment"] for row in shop.rows("from segments")}
    ((model,),) = shop.con.execute("select model from models").fetchall()
    assert {customer: row["segment"] for customer, row in by_vector.items()} == scored
    for customer, row in by_vector.items():
        nearest = row["distances"].index(min(row["distances"]))
        assert row["segment"] == nearest, customer
    sizes = Counter(scored.values())
    assert [one["n"] for one in model["components"]] == [sizes[i] for i in range(shop.k)]
    assert [sizes[i] for i in range(shop.k)] == sorted(sizes.values(), reverse=True)
    assert shop.con.execute("select custseg.check_model(model) from models").fetchall() == [("ok",)]


@law
def a_centre_is_of_its_own_segment(shop: Shop) -> None:
    found = shop.con.execute(
        "select i - 1, custseg.assign(model, model.components[i].center), "
        "custseg.distances(model, model.components[i].center)[i] "
        "from models cross join range(1, len(model.components) + 1) as numbers (i)"
    ).fetchall()
    assert all(segment == number for number, segment, _ in found), found
    assert all(distance == 0 for _, _, distance in found), found
    matches = "unnest(custseg.match_segments(model, model), recursive := true)"
    for row in shop.rows(f"select {matches} from models"):
        assert (row["segment"], row["distance"]) == (row["previous_segment"], 0), row


@law
def a_mixtures_segment_is_the_most_probable_one(shop: Shop) -> None:
    kind = shop.rng.choice(["full", "tied", "diag", "spherical"])
    shop.write(
        "mixtures",
        f"select 'mix' as name, custseg.gmm_fit(features, k := {shop.k}, covariance_type := "
        f"'{kind}', transform := transform) as model from custseg.feature_vectors('features')",
    )
    rows = shop.rows(
        "select custseg.assign(model, v.features) as segment, "
        "custseg.probabilities(model, v.features) as shares, "
        "custseg.log_densities(model, v.features) as densities, model.log_likelihood as likelihood "
        "from custseg.feature_vectors('features') as v cross join mixtures"
    )
    total = 0.0
    for row in rows:
        assert math.isclose(sum(row["shares"]), 1, rel_tol=1e-12)
        assert all(0 <= share <= 1 for share in row["shares"])
        densities = row["densities"]
        assert row["segment"] == densities.index(max(densities))
        assert row["shares"][row["segment"]] == max(row["shares"])
        top = max(densities)
        total += top + math.log(sum(math.exp(one - top) for one in densities))
    assert math.isclose(total, rows[0]["likelihood"], rel_tol=1e-9, abs_tol=1e-6), (
        f"{kind}: {total} is not {rows[0]['likelihood']}"
    )


@law
def a_feature_in_another_unit_makes_the_same_segments(shop: Shop) -> None:
    n = shop.rng.randint(6, 60)
    values = [tuple(shop.rng.randrange(-(2**20), 2**20) for _ in range(3)) for _ in range(n)]
    texts = ", ".join(str((number, *row)) for number, row in enumerate(values))
    shop.write("own_features", f"from (values {texts}) as own (customer_id, x, y, z)")
    scale, shift = shop.rng.choice([0.5, 2, 4, 1024]), shop.rng.randrange(-(2**16), 2**16)
    moved = f"select * replace ({scale}::double * x + {{}} as x) from own_features"
    shop.write("scaled_features", moved.format(0))
    shop.write("affine_features", moved.format(shift))
    transforms = "transforms := {'x': 'identity', 'y': 'identity', 'z': 'identity'}"
    found = {}
    for table in ("own_features", "scaled_features", "affine_features"):
        found[table] = shop.con.execute(f"""
            with vectors as (from custseg.feature_vectors('{table}', {transforms})),
            fitted as (
                select custseg.kmeans_fit(features, k := 3, transform := transform) as model
                from custseg.feature_vectors('own_features', {transforms})
            ),
            fitted_again as (
                select custseg.kmeans_fit(features, k := 3) as model from vectors
            )
            select
                customer_id, features, custseg.assign(fitted.model, features),
                custseg.assign(fitted_again.model, features)
            from vectors cross join fitted cross join fitted_again order by customer_id
        """).fetchall()
    # by a power of two no bit is lost, and otherwise a fit may end elsewhere
    assert_same(found["scaled_features"], found["own_features"])
    for before, after in zip(found["own_features"], found["affine_features"], strict=True):
        assert_close(dict(enumerate(after[1])), dict(enumerate(before[1])), "vectors")
        assert after[2] == before[2], f"customer {before[0]}"


@law
def summaries_add_up_to_everybody(shop: Shop) -> None:
    features, rows = shop.features(), shop.rows("from segment_summary")
    assert sum(row["n_customers"] for row in rows) == len(features)
    assert math.isclose(sum(row["customer_share"] for row in rows), 1, rel_tol=1e-12)
    assert sum(row["n_orders"] for row in rows) == sum(row["n_orders"] for row in features.values())
    spent = [row["monetary"] for row in features.values() if row["monetary"] is not None]
    revenue = [row["revenue"] for row in rows if row["revenue"] is not None]
    assert math.isclose(sum(revenue), sum(spent), rel_tol=1e-9, abs_tol=1e-6)
    shop.write("attributes", "select customer_id, r_score, f_score, rfm_label from features")
    cells = shop.rows("from custseg.segment_crosstab('segments', 'attributes')")
    for name in {row["attribute"] for row in cells}:
        known = sum(row.get(name) is not None for row in shop.rows("from attributes"))
        assert sum(row["n_customers"] for row in cells if row["attribute"] == name) == known, name
        expected = sum(row["expected"] for row in cells if row["attribute"] == name)
        assert math.isclose(expected, known, rel_tol=1e-9), name


@law
def nothing_drifts_or_moves_from_itself(shop: Shop) -> None:
    drift = shop.rows("from custseg.feature_drift('features', 'features')")
    assert drift
    assert all(row["psi"] == 0 and row["level"] == "stable" for row in drift), drift[0]
    assert all(row["shares_before"] == row["shares_after"] for row in drift)
    moves = shop.rows("from custseg.segment_migration('segments', 'segments')")
    assert sum(row["n_customers"] for row in moves) == len(shop.rows("from segments"))
    assert all(row["is_stay"] and row["share"] == 1 for row in moves), moves


@law
def how_segments_are_numbered_does_not_change_how_good_they_are(shop: Shop) -> None:
    shop.write("vectors", "select customer_id, features from custseg.feature_vectors('features')")
    shop.write("others", "select customer_id, 1000 - 7 * segment as segment from segments")
    before, after = (
        shop.by_key(f"from custseg.cluster_metrics('vectors', '{name}')", "segment")
        for name in ("segments", "others")
    )
    renumbered = {None if s is None else 1000 - 7 * s: row for s, row in before.items()}
    assert_close(after, renumbered)
    fits = shop.rows("from custseg.silhouettes('vectors', 'segments')")
    assert all(row["silhouette"] is None or -1 <= row["silhouette"] <= 1 for row in fits)
    assert all((row["silhouette"] is None) == (shop.k == 1) for row in fits)


@law
def a_refresh_changes_nothing_where_nothing_is_new_and_a_frozen_one_scores(shop: Shop) -> None:
    run = {"k": shop.k, "min_count": shop.min_count, "as_of": "2026-01-01"}
    if not shop.has_dates:
        run.pop("as_of")
    shop.write("shop_lines", "from lines")
    custseg_duck.run("shop_lines", con=shop.con, **(QUICK | run))
    ((model,),) = shop.con.execute("select model from custseg.models").fetchall()
    assert_same([(model,)], [row[1:] for row in shop.made["models"]], "the model of a run")
    segments = [(row["customer_id"], row["segment"]) for row in shop.rows("from segments")]
    assert_same(run_segments(shop), segments, "the segments of a run")
    before = run_tables(shop)
    shop.write("shop_lines", "from lines order by hash(rowid)")
    fit: Any = shop.rng.choice(["warm", "matched", "frozen"])
    assert custseg_duck.refresh(con=shop.con, fit=fit).is_unchanged
    assert_same(run_tables(shop), before, "a refresh")
    for order in range(3):
        shop.add("shop_lines", order_id=shop.fresh("order_id", order))
    assert not custseg_duck.refresh(con=shop.con, fit="frozen").is_unchanged
    scored = shop.rows(
        "select customer_id, segment from custseg.score('custseg.customer_features', 'default')"
    )
    expected = [(row["customer_id"], row["segment"]) for row in scored]
    assert_same(run_segments(shop), expected, "a frozen refresh")
    assert shop.con.execute("select model from custseg.models").fetchall()[0] == (model,)
