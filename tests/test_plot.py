"""The charts: their data are those of the tables, they can be drawn, and what they refuse."""

from __future__ import annotations

import importlib
import io
import math
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from sklearn.decomposition import PCA

import custseg_duck
from custseg_duck import colours, plot
from custseg_duck.plot import rules
from custseg_duck.plot.network import COLUMN, layout
from custseg_duck.reading import signed
from custseg_duck.udfs.projection import project

CHARTS = ("heat_map", "revenue", "choice_of_k", "projection", "rule_network", "migration")


@pytest.fixture(scope="session")
def full_shop(shops: dict[str, Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the full shop, without anything loaded."""
    with duckdb.connect(str(shops["full"]), read_only=True) as connection:
        yield connection


def data_of(layer: dict[str, Any], chart: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a layer, which may be those of the whole chart."""
    data = layer.get("data") or chart["data"]
    return data["values"] if "values" in data else chart["datasets"][data["name"]]


def marks_of(chart: dict[str, Any]) -> list[str]:
    return [layer["mark"]["type"] for layer in chart["layer"]]


@pytest.mark.parametrize("width", [320, 640])
@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_drawn_as_png_and_svg(
    full_shop: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, width: int
) -> None:
    chart = getattr(plot, name)(full_shop, width=width)
    chart.save(tmp_path / "chart.png")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
    text = io.StringIO()
    chart.save(text, format="svg")
    svg = ET.fromstring(text.getvalue())
    assert svg.tag.endswith("svg")
    assert len(list(svg.iter())) > 50
    assert chart.description
    assert chart.title.text


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_the_same_each_time(full_shop: duckdb.DuckDBPyConnection, name: str) -> None:
    make = getattr(plot, name)
    assert make(full_shop).to_json() == make(full_shop).to_json()


def test_a_heat_map_has_a_cell_per_centroid(full_shop: duckdb.DuckDBPyConnection) -> None:
    chart = plot.heat_map(full_shop).to_dict()
    assert marks_of(chart) == ["rect", "text"]
    cells = {(row["segment"], row["words"]): row for row in data_of(chart["layer"][0], chart)}
    centroids = full_shop.execute(
        "select segment, coalesce('share of ' || department, in_words, feature), z_score "
        "from custseg.centroids left join custseg.feature_words() using (feature)"
    ).fetchall()
    assert len(cells) == len(centroids)
    for segment, words, z_score in centroids:
        assert cells[segment, words]["z_score"] == z_score
        assert cells[segment, words]["text"] == signed(z_score)
    color = chart["layer"][0]["encoding"]["color"]["scale"]
    assert color["domain"] == [-color["domain"][2], 0, max(abs(z) for *_, z in centroids)]


def test_bars_are_shares_of_customers_and_revenue(full_shop: duckdb.DuckDBPyConnection) -> None:
    chart = plot.revenue(full_shop).to_dict()
    assert marks_of(chart) == ["bar", "text", "text"]
    shown = {
        (row["segment"], row["measure"]): (row["value"], row["text"])
        for row in data_of(chart["layer"][0], chart)
    }
    for segment, label, customers, money in full_shop.execute(
        "select segment, label, customer_share, revenue_share from custseg.segment_summary "
        "inner join custseg.segment_labels using (segment)"
    ).fetchall():
        assert shown[segment, "label"] == (0, f"{segment} · {label}")
        assert shown[segment, "customers"] == (customers, f"{customers:.1%} of customers")
        assert shown[segment, "revenue"] == (money, f"{money:.1%} of revenue")


def test_the_best_number_of_segments_is_marked(full_shop: duckdb.DuckDBPyConnection) -> None:
    candidates = full_shop.execute(
        "select k, silhouette, stability, is_recommended from custseg.k_candidates order by k"
    ).fetchall()
    ((best, *_),) = [row for row in candidates if row[3]]
    chart = plot.choice_of_k(full_shop)
    assert chart.title.subtitle == [f"Best is {best}."]
    apart, stable = chart.to_dict()["hconcat"]
    for panel, column in ((apart, 1), (stable, 2)):
        assert marks_of(panel) == ["line", "line", "point", "point", "text"]
        _, line, _, point, _ = panel["layer"]
        values = [(row["k"], row["value"]) for row in data_of(line, chart.to_dict())]
        assert values == [(row[0], row[column]) for row in candidates if row[column] is not None]
        assert [row["k"] for row in data_of(point, chart.to_dict())] == [best]
    assert "vconcat" in plot.choice_of_k(full_shop, width=320).to_dict()


def test_customers_are_where_their_principal_components_are(
    full_shop: duckdb.DuckDBPyConnection,
) -> None:
    chart = plot.projection(full_shop)
    found = chart.to_dict()
    assert marks_of(found) == ["point", "text", "text"]
    rows = data_of(found["layer"][0], found)
    vectors = full_shop.execute(
        "select customer_id, segment, features from custseg.apply_transform("
        "'custseg.customer_features', "
        "(select model.features from custseg.latest_models)) inner join custseg.segments "
        "using (customer_id)"
    ).fetchall()
    oracle = PCA(2).fit(np.array([features for *_, features in vectors]))
    places = {row["customer_id"]: row for row in rows}
    assert len(places) == len(vectors) == 300
    expected = oracle.transform(np.array([features for *_, features in vectors]))
    for (customer, segment, _), place in zip(vectors, np.abs(expected), strict=True):
        row = places[str(customer)]
        assert row["segment"] == segment
        assert np.abs([row["x"], row["y"]]) == pytest.approx(place, abs=2e-3)
    share = oracle.explained_variance_ratio_.sum()
    assert chart.title.subtitle[0] == (
        f"All 300 customers. Who is near is alike: the picture holds {share:.1%} of what "
        "customers differ in."
    )


def test_segments_are_told_apart_by_colour_and_shape(full_shop: duckdb.DuckDBPyConnection) -> None:
    points = plot.projection(full_shop).to_dict()["layer"][0]["encoding"]
    assert points["color"]["scale"]["domain"] == points["shape"]["scale"]["domain"] == [0, 1, 2]
    looks = zip(points["color"]["scale"]["range"], points["shape"]["scale"]["range"], strict=True)
    assert list(looks) == [colours.of_segment(segment) for segment in range(3)]


def test_a_pixel_is_as_far_to_the_right_as_up(full_shop: duckdb.DuckDBPyConnection) -> None:
    for width in (320, 640):
        chart = plot.projection(full_shop, width=width).to_dict()
        x, y = (chart["layer"][0]["encoding"][key]["scale"]["domain"] for key in ("x", "y"))
        assert (x[1] - x[0]) / chart["width"] == pytest.approx((y[1] - y[0]) / chart["height"])


def test_a_sample_is_always_the_same_and_says_so(full_shop: duckdb.DuckDBPyConnection) -> None:
    chart = plot.projection(full_shop, n=50)
    rows = data_of(chart.to_dict()["layer"][0], chart.to_dict())
    expected = full_shop.execute(
        "select customer_id::varchar from custseg.segments order by md5(customer_id::varchar) "
        "limit 50"
    ).fetchall()
    assert [(row["customer_id"],) for row in rows] == expected
    assert chart.title.subtitle[0].startswith("A sample of 50 of 300 customers.")


def test_an_arrow_leads_from_antecedent_to_consequent(
    full_shop: duckdb.DuckDBPyConnection,
) -> None:
    rules = full_shop.execute(
        "select antecedents, consequents, confidence from custseg.top_rules "
        "order by rule_id limit 20"
    ).fetchall()
    chart = plot.rule_network(full_shop).to_dict()
    assert marks_of(chart)[:4] == ["rule", "point", "point", "point"]
    lines = data_of(chart["layer"][0], chart)
    items = data_of(chart["layer"][3], chart)
    assert len([row for row in items if row["kind"] == "item"]) == len(
        {item for former, latter, _ in rules for item in (*former, *latter)}
    )
    singles = [rule for rule in rules if len(rule[0]) == 1]
    assert sorted(row["confidence"] for row in lines if row["has_head"])[-1] == max(
        confidence for *_, confidence in rules
    )
    places = {(row["x"], row["y"]): row["item"] for row in items}
    direct = [row for row in lines if (row["x"], row["y"]) in places and row["has_head"]]
    assert len(direct) >= len(singles)
    for row in direct:
        former, _, latter = row["text"].partition(" → ")
        assert places[row["x"], row["y"]].startswith(former)
        end = min(places, key=lambda place: math.dist(place, (row["x2"], row["y2"])))
        assert places[end].startswith(latter)


def test_items_that_speak_together_meet_in_a_dot() -> None:
    rule = {
        "rule_id": 7, "antecedents": ["1", "2"], "antecedent_names": ["one", None],
        "consequents": ["3"], "consequent_names": ["three"], "confidence": 0.5, "lift": 2.0,
    }  # fmt: skip
    arrows = rules._arrows_of(rule)
    dot = ("rule", "7")
    assert [(arrow["from"], arrow["to"], arrow["has_head"]) for arrow in arrows] == [
        (("item", "1"), dot, False),
        (("item", "2"), dot, False),
        (dot, ("item", "3"), True),
    ]
    assert arrows[0]["text"] == "one and 2 → three"


def test_moves_are_cells(full_shop: duckdb.DuckDBPyConnection) -> None:
    chart = plot.migration(full_shop).to_dict()
    assert marks_of(chart) == ["rect", "text"]
    shown = {
        (row["before"], row["after"]): row["n_customers"]
        for row in data_of(chart["layer"][0], chart)
    }
    moves = full_shop.execute(
        "select coalesce(from_segment::varchar, 'new'), coalesce(to_segment::varchar, 'gone'), "
        "n_customers from custseg.migrations"
    ).fetchall()
    assert shown == {(before, after): n for before, after, n in moves}


@pytest.mark.parametrize(
    ("chart", "kind", "message"),
    [
        ("choice_of_k", "bare", r'got none that were tried\. Run it with k="auto"'),
        ("revenue", "bare", r"lines with an amount to show revenue, got none\. Run it on lines"),
        ("rule_network", "bare", r"rules to act on, got none in custseg\.top_rules\. Run it on"),
        ("rule_network", "features", r"rules to act on, got none"),
        ("migration", "bare", r"got a first one\. custseg_duck\.refresh\(con=con\) makes the next"),
        ("heat_map", "unknown", r"name must be that of a run \(default\), got 'unknown'"),
        ("revenue", "unknown", r"got 'unknown'"),
        ("choice_of_k", "unknown", r"got 'unknown'"),
        ("projection", "unknown", r"got 'unknown'"),
        ("rule_network", "unknown", r"got 'unknown'"),
        ("migration", "unknown", r"got 'unknown'"),
    ],
)
def test_what_there_is_not_is_said_with_the_way_to_it(
    shops: dict[str, Path], chart: str, kind: str, message: str
) -> None:
    name = "unknown" if kind == "unknown" else "default"
    with (
        duckdb.connect(str(shops.get(kind, shops["bare"])), read_only=True) as con,
        pytest.raises(custseg_duck.InputError, match=message),
    ):
        getattr(plot, chart)(con, name=name)


@pytest.mark.parametrize("n", [0, 2001])
def test_a_sample_has_bounds(full_shop: duckdb.DuckDBPyConnection, n: int) -> None:
    with pytest.raises(custseg_duck.InputError, match=rf"n must be .*\[1, 2000\], got {n}"):
        plot.projection(full_shop, n=n)


def test_a_network_has_at_least_one_rule(full_shop: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(custseg_duck.InputError, match=r"n must be .*, got 0"):
        plot.rule_network(full_shop, n=0)
    drawn = plot.rule_network(full_shop, n=1).to_dict()
    assert len([row for row in data_of(drawn["layer"][0], drawn) if row["has_head"]]) == 1


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in sys.modules if one.startswith("custseg_duck.plot")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "altair", None)
    with pytest.raises(ImportError, match=r"Altair.*pip install 'custseg_duck\[plot\]'"):
        importlib.import_module("custseg_duck.plot")


def test_principal_components_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    points = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5)) + 10
    found = project(points)
    oracle = PCA(2).fit(points)
    assert found.shares == pytest.approx(oracle.explained_variance_ratio_)
    assert np.abs(found.axes) == pytest.approx(np.abs(oracle.components_))
    assert np.abs(found.coordinates) == pytest.approx(np.abs(oracle.transform(points)))
    for axis in found.axes:
        assert axis[np.argmax(np.abs(axis))] > 0


def test_components_by_hand() -> None:
    # on the line y = 2 x: the direction (1, 2) / sqrt(5) holds all; -1, 0, 1 times sqrt(5) along it
    found = project(np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]]))
    assert found.axes[0] == pytest.approx(np.array([1, 2]) / np.sqrt(5))
    assert found.shares == pytest.approx([1, 0], abs=1e-12)
    assert found.coordinates[:, 0] == pytest.approx([-np.sqrt(5), 0, np.sqrt(5)])
    assert found.coordinates[:, 1] == pytest.approx([0, 0, 0], abs=1e-12)


@pytest.mark.parametrize(
    ("points", "shares"),
    [
        ([[5.0, 5.0]], [0, 0]),
        ([[1.0, 2.0], [1.0, 2.0]], [0, 0]),
        ([[1.0], [3.0]], [1, 0]),
        ([[1e100, 0.0], [-1e100, 0.0]], [1, 0]),
    ],
)
def test_components_of_points_that_hardly_differ(
    points: list[list[float]], shares: list[float]
) -> None:
    found = project(np.array(points))
    assert found.shares == pytest.approx(shares)
    assert np.isfinite(found.coordinates).all()
    assert found.coordinates.shape == (len(points), 2)


@pytest.mark.parametrize("points", [np.empty((0, 2)), np.array([[np.nan]]), np.array([[np.inf]])])
def test_components_need_finite_points(points: np.ndarray) -> None:
    with pytest.raises(ValueError, match="features must"):
        project(points)


def node(name: str) -> tuple[str, str]:
    return ("item", name)


def test_a_layout_keeps_names_apart_and_within_the_width() -> None:
    pairs = [(node(f"a{i}"), node(f"b{i}")) for i in range(9)]
    star = [(node("hub"), node(f"leaf {i}")) for i in range(8)]
    for width in (300, 640):
        found = layout([*pairs, *star], width)
        assert len(found.places) == 27
        for x, y in found.places.values():
            assert 0 <= x <= width - found.name_width + 1
            assert 0 <= y <= found.height
        placed = list(found.places.values())
        for i, (x, y) in enumerate(placed):
            for x2, y2 in placed[:i]:
                assert abs(x - x2) >= 0.9 * found.name_width or abs(y - y2) >= 15


def test_a_layout_depends_on_nothing_but_the_arrows() -> None:
    arrows = [(node(f"a{i % 5}"), node(f"b{i * i % 7}")) for i in range(12)]
    assert layout(arrows, 640) == layout(arrows[::-1], 640)


def test_arrows_lead_down() -> None:
    found = layout([(node("z"), node("a"))], COLUMN)
    assert found.places[node("z")][1] < found.places[node("a")][1]
    assert found.sides == {node("z"): "right", node("a"): "right"}


def test_a_name_is_where_no_arrow_is() -> None:
    star = [(node(leaf), node("hub")) for leaf in "abcd"]
    found = layout(star, 640)
    for leaf in "abcd":
        is_left = found.places[node(leaf)][0] < found.places[node("hub")][0] - 30
        assert found.sides[node(leaf)] == ("left" if is_left else "right")
    assert set(layout(star, 300).sides.values()) <= {"right", "above", "below"}
    assert "left" in found.sides.values()


@pytest.mark.parametrize(
    ("z_score", "text"),
    [(1.25, "+1.2"), (-0.06, "−0.1"), (0.04, "0.0"), (-0.04, "0.0"), (None, "")],  # noqa: RUF001
)
def test_a_z_score_has_a_sign_unless_it_is_zero(z_score: float | None, text: str) -> None:
    assert signed(z_score) == text
