"""Rules as a network."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import duckdb

from custseg_duck import colours
from custseg_duck.errors import InputError
from custseg_duck.plot.axes import (
    OTHER_FONTS,
    WIDTH,
    chart_of,
    layers,
    pixels,
    sentence,
    title_of,
)
from custseg_duck.plot.network import Node, layout
from custseg_duck.reading import Row, item_labels, item_names, rows_of, run_of


def rule_network(
    con: duckdb.DuckDBPyConnection, *, name: str = "default", width: int = WIDTH, n: int = 20
) -> alt.LayerChart:
    """The top rules as a graph: an arrow leads from what is bought to what is bought with it.

    Thicker arrows are surer. Where several items together speak for another one, they meet in a
    small dot.

    Parameters
    ----------
    con : DuckDBPyConnection
        With a run that found rules to act on.
    name : str
        The run's name.
    width : int
        Pixels.
    n : int
        The most rules to show, by lift.

    Raises
    ------
    InputError
        If there is no run of this name, it found no rule to act on, or ``n`` is below 1.
    """
    if n < 1:
        raise InputError(f"n must be an int in the range [1, inf), got {n} [option]")
    run_of(con, name)
    rules = rows_of(con, "rules", "rules", run_name=name, n=n)
    if not rules:
        raise InputError(
            f"the run {name!r} must have rules to act on, got none in custseg.top_rules. "
            "Run it on order lines, perhaps with a lower min_support [no-result]"
        )
    arrows = [arrow for rule in rules for arrow in _arrows_of(rule)]
    laid_out = layout([(arrow["from"], arrow["to"]) for arrow in arrows], width)
    lines = [_line(arrow, laid_out.places) for arrow in arrows]
    names = item_labels(rules, "antecedent", "consequent")
    nodes = [
        {
            "x": x,
            "y": y,
            "item": names.get(node[1], ""),
            "kind": node[0],
            "side": laid_out.sides[node],
        }
        for node, (x, y) in laid_out.places.items()
    ]
    return layers(
        *_line_marks(lines),
        *_node_marks(nodes, laid_out.name_width),
        width=width,
        height=round(laid_out.height),
        title=title_of(
            "Bought together", "an arrow leads from what is bought to what goes with it"
        ),
        description=f"Network of {len(rules)} rules. "
        + sentence(
            f"{' and '.join(item_names(rule, 'antecedent'))} leads to "
            f"{' and '.join(item_names(rule, 'consequent'))}"
            for rule in rules
        ),
    )


def _arrows_of(rule: Row) -> list[Row]:
    """One arrow between two items; or through the rule's own dot, where there are more."""
    told: Row = {
        "confidence": rule["confidence"],
        "text": f"{' and '.join(item_names(rule, 'antecedent'))} → "
        f"{' and '.join(item_names(rule, 'consequent'))}",
        "lift": rule["lift"],
    }
    former: list[Node] = [("item", item) for item in rule["antecedents"]]
    latter: list[Node] = [("item", item) for item in rule["consequents"]]
    if len(former) == len(latter) == 1:
        return [{**told, "from": former[0], "to": latter[0], "has_head": True}]
    dot: Node = ("rule", str(rule["rule_id"]))
    return [{**told, "from": node, "to": dot, "has_head": False} for node in former] + [
        {**told, "from": dot, "to": node, "has_head": True} for node in latter
    ]


def _line(arrow: Row, places: Mapping[Node, tuple[float, float]]) -> Row:
    """An arrow in pixels: a line that ends before the dot, and the angle of its head."""
    (x, y), (x2, y2) = places[arrow["from"]], places[arrow["to"]]
    length = math.hypot(x2 - x, y2 - y) or 1.0
    short = 9 / length if arrow["has_head"] else 0.0
    return {
        **{key: arrow[key] for key in ("confidence", "text", "lift", "has_head")},
        "x": x,
        "y": y,
        "x2": round(x2 - (x2 - x) * short, 1),
        "y2": round(y2 - (y2 - y) * short, 1),
        "angle": round(math.degrees(math.atan2(x2 - x, y - y2)), 1),
    }


def _line_marks(lines: Sequence[Row]) -> tuple[alt.Chart, alt.Chart]:
    """Lines, and the heads of those that have one."""
    tooltip = [
        alt.Tooltip("text:N", title="rule"),
        alt.Tooltip("confidence:Q", format=".1%"),
        alt.Tooltip("lift:Q", format=",.1f"),
    ]
    fields = ("x", "y", "x2", "y2", "angle", "confidence", "lift", "text", "has_head")
    base = chart_of(lines, fields).encode(tooltip=tooltip)
    width = alt.StrokeWidth(
        "confidence:Q", scale=alt.Scale(domain=[0, 1], range=[1, 6]), legend=None
    )
    drawn = base.mark_rule(color=colours.BESIDE).encode(
        x=pixels("x", alt.X), y=pixels("y", alt.Y), x2="x2", y2="y2", strokeWidth=width
    )
    heads = base.transform_filter("datum.has_head").mark_point(
        shape="triangle", filled=True, opacity=1, size=60, color=colours.QUIET
    )
    return drawn, heads.encode(
        x=pixels("x2", alt.X),
        y=pixels("y2", alt.Y),
        angle=alt.Angle("angle:Q", scale=alt.Scale(domain=[0, 360], range=[0, 360])),
    )


def _node_marks(nodes: Sequence[Row], name_width: float) -> list[alt.Chart]:
    """Dots, and the items' names beside them."""
    base = chart_of(nodes, ("x", "y", "item", "kind", "side")).encode(
        x=pixels("x", alt.X), y=pixels("y", alt.Y)
    )
    items = base.transform_filter("datum.kind == 'item'").encode(tooltip="item:N")
    dots = items.mark_point(filled=True, opacity=1, size=70, color=colours.ACCENT)
    joints = base.transform_filter("datum.kind == 'rule'").mark_point(
        filled=True, opacity=1, size=24, color=colours.BESIDE
    )
    names = []
    for side, align, dx, dy in (
        ("right", "left", 9, 0),
        ("left", "right", -9, 0),
        ("above", "left", -4, -12),
        ("below", "left", -4, 13),
    ):
        texts = items.transform_filter(f"datum.side == '{side}'").encode(text="item:N")
        look: dict[str, Any] = {
            "dx": dx,
            "dy": dy,
            "align": align,
            "limit": OTHER_FONTS * (name_width - 12),
        }
        names += [
            texts.mark_text(**look, fontSize=11, color="white", stroke="white", strokeWidth=4),
            texts.mark_text(**look, fontSize=11, color=colours.INK),
        ]
    return [joints, dots, *names]
