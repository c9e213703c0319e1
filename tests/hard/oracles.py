"""Right by definition: every answer that has a definition, against that in plain Python.

The definitions are in tests/oracles*.py and in the tests that use them; here they are tried on as
many random shops as one likes.
"""

from __future__ import annotations

import math
import random
import warnings
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import duckdb
import hypothesis
import numpy as np
import oracles_shop
import test_crosstab
import test_drift
import test_features
import test_gmm
import test_metrics
import test_mining
import test_offers
import test_rfm_segments
import test_rules
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

import custseg_duck
from custseg_duck.udfs import gmm
from tests.hard.figure import Figure
from tests.hard.laws.comparing import assert_close
from tests.hard.random_shops import Shop, open_shop

PROMISED = 500  # shops
WRONG = "disagreements"
OF_A_STDDEV = 1e-7  # relative: stable_stddev rounds to 2^-30 of the largest value

Seeded = Callable[[duckdb.DuckDBPyConnection, int], None]

FEATURES = ("orders", "rfm", "purchase_frequency", "product_diversity", "department_preferences",
            "timing", "customer_features")  # fmt: skip
# what is compared, and the test that compares it, of one seed
SEEDED: list[tuple[tuple[str, ...], Seeded]] = [
    (FEATURES, test_features.test_every_feature_of_a_random_shop_is_what_plain_python_says),
    (
        ("purchase_frequency",),
        test_features.test_a_shop_without_dates_is_counted_by_its_days_since_the_prior_order,
    ),
    (
        ("rfm_cut_points", "rfm_segments", "rfm_names"),
        test_rfm_segments.test_scores_and_names_of_a_shop_are_those_of_rfm,
    ),
    (
        ("rfm_cut_points", "rfm_scores", "rfm_segments"),
        test_rfm_segments.test_cut_points_that_were_kept_score_others,
    ),
    (("rfm_cut_points",), test_rfm_segments.test_cut_points_cover_every_value_once),
    (("rfm_names",), test_rfm_segments.test_every_cell_has_the_rule_that_comes_first),
    (("rfm_summary",), test_rfm_segments.test_summary_against_plain_python),
    (
        ("segment_crosstab", "segment_association"),
        test_crosstab.test_all_is_as_in_plain_python_and_scipy,
    ),
    (("feature_histograms", "feature_drift"), test_drift.test_numbers_texts_and_departments),
    (("segment_migration",), test_drift.test_migration_against_counters),
    (
        ("cluster_metrics", "silhouettes"),
        lambda con, seed: test_metrics.test_measures_agree_with_scikit_learn(
            con, seed, (seed % 2) * 1e6
        ),
    ),
    (
        ("exact_silhouettes",),
        lambda con, seed: test_metrics.test_exact_silhouettes_agree_with_scikit_learn(
            con, seed, 60 if seed % 2 else 2000
        ),
    ),
    (
        ("gmm_fit",),
        lambda _, seed: test_gmm.test_from_the_same_start_it_goes_where_scikit_learn_goes(
            gmm.COVARIANCE_TYPES[seed % 4], seed
        ),
    ),
]
# and of many shops that hypothesis draws
DRAWN: list[tuple[tuple[str, ...], Any]] = [
    (
        ("frequent_itemsets",),
        test_mining.test_both_entries_and_both_methods_give_what_brute_force_gives,
    ),
    (("frequent_itemsets",), test_mining.test_closed_and_maximal_are_as_defined),
    (("association_rules",), test_rules.test_every_column_of_every_rule_is_as_defined),
    (("segment_rules",), test_offers.test_every_column_of_every_rule_of_a_segment_is_as_defined),
    (("sequences",), test_offers.test_every_column_of_every_sequence_is_as_defined),
    (
        ("item_levels", "unrelated_itemsets"),
        test_offers.test_sets_of_all_levels_are_as_defined_and_hold_no_item_with_its_ancestor,
    ),
]


def tried(n: int, *, seed: int) -> Figure:
    """All comparisons on ``n`` shops, of which ``seed`` is the first."""
    figure = Figure(must_be_zero=(WRONG,))
    figure.counts["shops"] = n
    figure.counts["comparisons"] = 0
    compared: Counter[str] = Counter()
    ratios: list[float] = []
    with custseg_duck.connect(threads=2) as con, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(seed, seed + n):
            for macros, compare in SEEDED:
                _empty(con)
                con.execute("create table names as from custseg.rfm_names()")
                what = f"seed {number}: {getattr(compare, '__name__', '')} of {macros}"
                _compare(figure, compared, macros, what, partial(compare, con, number))
            _empty(con)
            shop = open_shop(con, number)
            for macros, one in OF_A_SHOP:
                what = f"seed {number}: {one.__name__}"
                _compare(figure, compared, macros, what, partial(one, shop, ratios))
        for macros, test in DRAWN:
            _empty(con)
            _draw(figure, compared, macros, test, con, n, seed)
    if ratios:
        mean = sum(ratios) / len(ratios)
        figure.notes.append(f"K-Means' inertia is {mean:.4f} times scikit-learn's on average")
        if mean > 1.01:
            figure.failed(WRONG, figure.notes[-1])
    figure.notes.append(", ".join(f"{macro} {times:,}" for macro, times in compared.most_common()))
    return figure


def _compare(
    figure: Figure, compared: Counter[str], macros: tuple[str, ...], what: str,
    compare: Callable[[], None],
) -> None:  # fmt: skip
    figure.counts["comparisons"] += len(macros)
    compared.update(macros)
    try:
        compare()
    except Exception as error:
        reason = str(error) or type(error).__name__
        figure.failed(WRONG, f"{what}: {reason[:500]}")


def _draw(
    figure: Figure, compared: Counter[str], macros: tuple[str, ...], test: Any,
    con: duckdb.DuckDBPyConnection, n: int, seed: int,
) -> None:  # fmt: skip
    """Try a test on n drawn shops; hypothesis stops at the first that it fails on, made small."""
    inner = test.hypothesis.inner_test

    def counted(**drawn: Any) -> None:
        figure.counts["comparisons"] += len(macros)
        compared.update(macros)
        inner(shared=con, **drawn)

    drawn = hypothesis.given(**test.hypothesis._given_kwargs)(counted)
    drawn = hypothesis.settings(
        max_examples=n, deadline=None, database=None, print_blob=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )(hypothesis.seed(seed)(drawn))  # fmt: skip
    try:
        drawn()
    except Exception as error:
        notes = " ".join(getattr(error, "__notes__", []))
        figure.failed(WRONG, f"{test.__name__}: {str(error)[:500]} {notes[:1500]}")


def _empty(con: duckdb.DuckDBPyConnection) -> None:
    for (name,) in con.execute(
        "select table_name from duckdb_tables() where schema_name = 'main'"
    ).fetchall():
        con.execute(f'drop table "{name}"')


# --- what has no test of its own -----------------------------------------------------------------


def lines_are_kept_and_counted_by_every_option(shop: Shop, _: list[float]) -> None:
    rng = random.Random(shop.seed)
    for _attempt in range(3):
        since, as_of = None, None
        if shop.has_dates:
            days = [one["ordered_at"] for one in shop.lines if one["ordered_at"]]
            since = rng.choice([None, *days])
            as_of = rng.choice([None, *days])
            if since and as_of and since >= as_of:
                as_of = None
        products = [one["product_id"] for one in shop.lines if one["product_id"] is not None]
        options: dict[str, Any] = {
            "returns": rng.choice(["net", "drop"]),
            "duplicates": rng.choice(["keep", "drop"]),
            "empty_lines": rng.choice(["drop", "keep"]),
            "exclude_items": rng.choice([[], rng.sample(products, 1)]),
        }
        expected = oracles_shop.order_lines(shop.lines, since=since, as_of=as_of, **options)
        texts = {name: repr(value) for name, value in options.items()}
        texts["exclude_items"] = str([str(one) for one in options["exclude_items"]])
        if not options["exclude_items"]:
            del texts["exclude_items"]
        texts |= {
            name: f"timestamp '{time}'"
            for name, time in (("since", since), ("as_of", as_of))
            if time
        }
        given = ", ".join(f"{name} := {text}" for name, text in texts.items())
        found = Counter(
            tuple(row.values())
            for row in shop.rows(
                "select customer_id, order_id, product_id, ordered_at, quantity, amount, is_return "
                f"from custseg.order_lines('lines', {given})"
            )
        )
        assert found == expected, f"{given}: {list((found - expected) + (expected - found))[:3]}"
        report = shop.rows(f"from custseg.line_report('lines', {given})")
        assert sum(row["n_lines"] for row in report) == len(shop.lines)
        buyers = {key[0] for key in expected if not key[-1]}
        kept = {key: times for key, times in expected.items() if key[0] in buyers}
        assert sum(row["n_lines"] for row in report if row["is_kept"]) == sum(kept.values())
        amounts = sum(row["amount"] or 0 for row in report if row["is_kept"])
        assert amounts == sum(times * (key[5] or 0) for key, times in kept.items()), given


def vectors_are_what_the_transform_says(shop: Shop, _: list[float]) -> None:
    features = shop.by_key("from features", "customer_id")
    found = shop.by_key("from custseg.feature_vectors('features')", "customer_id")
    (transform, *others) = [row["transform"] for row in found.values()]
    assert all(one == transform for one in others)
    for one in transform:
        values = [oracles_shop.raw(row, one) for row in features.values()]
        if one["department"] is None:
            known = [value for value in values if value is not None]
            median = float(np.median(known))
        else:  # who has no department at all has none of this one
            known, median = [value or 0.0 for value in values], 0.0
        assert_close(one["fill"], median, f"fill of {one}")
        moved = [oracles_shop.transformed(value, one) for value in known]
        assert_close(one["center"], float(np.mean(moved)), f"center of {one}")
        # if all is constant, but for rounding, something has to stay
        is_constant = float(np.ptp(moved)) <= 1e-12 * abs(float(np.median(moved)))
        spread = 1.0 if is_constant else float(np.std(moved))
        assert math.isclose(one["scale"], spread, rel_tol=OF_A_STDDEV), f"{one} for {spread}"
        n_departments = sum(other["department"] is not None for other in transform)
        weight = 1 if one["department"] is None else (2 / n_departments) ** 0.5
        assert_close(one["weight"], weight, "weight")
    expected = oracles_shop.vectors(features, transform)
    for customer, row in found.items():
        np.testing.assert_allclose(row["features"], expected[customer], rtol=0, atol=1e-9)


def summaries_and_profiles_are_as_defined(shop: Shop, _: list[float]) -> None:
    features = shop.by_key("from features", "customer_id")
    segments = {row["customer_id"]: row["segment"] for row in shop.rows("from segments")}
    summary = shop.by_key("from segment_summary", "segment")
    assert_close(summary, oracles_shop.segment_summary(features, segments), "summary")
    profiles = shop.by_key("from segment_profiles", "segment", "feature", "department")
    ranks: dict[Any, list[Any]] = {}
    for (segment, *_feature), row in profiles.items():
        ranks.setdefault(segment, []).append((row.pop("distinctiveness_rank"), row["z_score"]))
    expected = oracles_shop.segment_profiles(features, segments)
    assert set(profiles) == set(expected), set(profiles) ^ set(expected)
    for key, row in expected.items():
        for name, value in row.items():
            found = profiles[key][name]
            near = (
                value is found
                or value is None
                or (found is not None and abs(found - value) <= OF_A_STDDEV * max(1, abs(value)))
            )
            assert near, f"{key} {name}: {found} is not {value}"
            assert (found is None) == (value is None), f"{key} {name}: {found} is not {value}"
    for ranked in ranks.values():
        sizes = [abs(z) if z is not None else -1 for _rank, z in sorted(ranked)]
        assert sizes == sorted(sizes, reverse=True)


def offers_are_as_defined(shop: Shop, _: list[float]) -> None:
    rules = shop.rows("from offering_rules")
    category_of = {
        row["product_id"]: row["category"]
        for row in shop.rows("select distinct product_id, category from lines")
    }
    expected = oracles_shop.offers(shop.lines, rules, category_of)
    found = shop.by_key("from recommendations", "customer_id", "item_id")
    assert set(found) == set(expected), set(found) ^ set(expected)
    for key, (kind, score) in expected.items():
        assert found[key]["kind"] == kind, f"{key}: {found[key]} is not {kind}"
        assert abs(found[key]["score"] - score) < 1e-5, f"{key}: {found[key]} is not {score}"
    by_kind: dict[Any, list[Any]] = {}
    for (customer, _item), row in found.items():
        by_kind.setdefault((customer, row["kind"]), []).append((row["rank"], row["score"]))
    for ranked in by_kind.values():
        assert [rank for rank, _score in sorted(ranked)] == list(range(1, len(ranked) + 1))
        scores = [score for _rank, score in sorted(ranked)]
        assert scores == sorted(scores, reverse=True)


def k_means_is_no_worse_than_scikit_learns(shop: Shop, ratios: list[float]) -> None:
    points = _points(shop)
    ((model,),) = shop.con.execute("select model from models").fetchall()
    centers = np.array([one["center"] for one in model["components"]])
    distances = np.linalg.norm(points[:, None] - centers[None], axis=2)
    labels = distances.argmin(axis=1)
    for number, one in enumerate(model["components"]):
        members = points[labels == number]
        assert one["n"] == len(members)
        np.testing.assert_allclose(one["center"], members.mean(axis=0), rtol=1e-9, atol=1e-9)
    inertia = float((distances.min(axis=1) ** 2).sum())
    assert_close(model["inertia"], inertia, "inertia")
    # it is where scikit-learn stays
    again = KMeans(shop.k, init=centers, n_init=1, tol=0).fit(points)
    assert abs(again.inertia_ - inertia) <= 1e-9 * max(inertia, 1e-3)
    theirs = KMeans(shop.k, n_init=10, random_state=shop.seed).fit(points)
    # one fit may end in a better or a worse place than the other: of many the mean is compared
    if theirs.inertia_ > 1e-9:
        ratios.append(inertia / theirs.inertia_)
        assert inertia <= 1.25 * theirs.inertia_, f"{inertia} is not near {theirs.inertia_}"


def mixtures_are_as_likely_as_scikit_learn_says(shop: Shop, _: list[float]) -> None:
    points = _points(shop)
    kind = gmm.COVARIANCE_TYPES[shop.seed % 4]
    shop.write(
        "mixtures",
        f"select custseg.gmm_fit(features, k := {shop.k}, covariance_type := '{kind}') as model "
        "from custseg.feature_vectors('features')",
    )
    ((model,),) = shop.con.execute("select model from mixtures").fetchall()
    parts = model["components"]
    theirs = GaussianMixture(shop.k, covariance_type="full")
    theirs.weights_ = np.array([one["weight"] for one in parts])
    theirs.means_ = np.array([one["center"] for one in parts])
    theirs.covariances_ = np.array([one["covariance"] for one in parts])
    theirs.precisions_cholesky_ = np.array([
        np.linalg.inv(np.linalg.cholesky(np.array(one["covariance"]))).T for one in parts
    ])  # fmt: skip
    likelihood = float(theirs.score(points) * len(points))
    assert abs(model["log_likelihood"] - likelihood) <= 1e-6 * max(1, abs(likelihood)), (
        f"{kind}: {model['log_likelihood']} is not {likelihood}"
    )
    n_free = _free_parameters(kind, shop.k, points.shape[1])
    assert_close(model["aic"], 2 * n_free - 2 * model["log_likelihood"], "aic")
    bic = n_free * float(np.log(len(points))) - 2 * model["log_likelihood"]
    assert_close(model["bic"], bic, "bic")
    shares = shop.con.execute(
        "select custseg.probabilities(model, v.features), custseg.assign(model, v.features) "
        "from custseg.feature_vectors('features') as v cross join mixtures order by customer_id"
    ).fetchall()
    expected = theirs.predict_proba(points)
    np.testing.assert_allclose([one for one, _segment in shares], expected, rtol=0, atol=1e-6)
    assert sum(s != e for (_, s), e in zip(shares, theirs.predict(points), strict=True)) == 0


def _free_parameters(kind: str, k: int, d: int) -> int:
    """Of weights and means, and of the covariances."""
    of_a_matrix = d * (d + 1) // 2
    covariances = {"full": k * of_a_matrix, "tied": of_a_matrix, "diag": k * d, "spherical": k}
    return k - 1 + k * d + covariances[kind]


def _points(shop: Shop) -> Any:
    return np.array(shop.con.execute(
        "select features from custseg.feature_vectors('features') order by customer_id"
    ).fetchnumpy()["features"].tolist())  # fmt: skip


OF_A_SHOP: list[tuple[tuple[str, ...], Callable[[Shop, list[float]], None]]] = [
    (("order_lines", "line_report"), lines_are_kept_and_counted_by_every_option),
    (("feature_transform", "feature_vectors"), vectors_are_what_the_transform_says),
    (("segment_summary", "segment_profiles"), summaries_and_profiles_are_as_defined),
    (("recommendations",), offers_are_as_defined),
    (("kmeans_fit",), k_means_is_no_worse_than_scikit_learns),
    (("gmm_fit", "probabilities", "assign"), mixtures_are_as_likely_as_scikit_learn_says),
]
