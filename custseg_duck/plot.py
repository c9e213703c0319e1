"""Charts of what a run left, for notebooks. Needs the extra ``plot``.

Each function reads the database and gives an Altair chart: ``plot.projection(con)`` shows it,
``plot.projection(con).save("projection.png")`` writes it, also as .svg, without a network.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import duckdb
import numpy as np

from custseg_duck import colours
from custseg_duck.errors import InputError
from custseg_duck.reading import Row, item_labels, item_names, rows_of, run_of, signed
from custseg_duck.udfs.projection import Projection, project

try:
    import altair as alt

    from custseg_duck.network import Node, layout
except ImportError as error:
    raise ImportError(
        f"custseg_duck.plot must have Altair, vl-convert and networkx, got none of {error.name}: "
        "pip install 'custseg_duck[plot]'"
    ) from error

__all__ = ["choice_of_k", "heat_map", "migration", "projection", "revenue", "rule_network"]

WIDTH = 640  # pixels
OTHER_FONTS = 0.86  # texts are measured in Arial, and some fonts are wider
NARROW = 480  # below it panels stand one above the other
MOST_POINTS = 2000
FEW_POINTS = 300  # up to here they are drawn larger
STABLE = 0.7  # what custseg.k_sweep asks of a number of segments

SIZE_MEASURES = ("label", "customers", "revenue")
NEW, GONE = "new", "gone"


def heat_map(
    con: duckdb.DuckDBPyConnection, *, name: str = "default", width: int = WIDTH
) -> alt.LayerChart:
    """What sets the segments apart: a cell per segment and feature, coloured by its z-score.

    Parameters
    ----------
    con : DuckDBPyConnection
        With a run.
    name : str
        The run's name.
    width : int
        Pixels, without the features' names.

    Raises
    ------
    InputError
        If there is no run of this name.
    """
    run_of(con, name)
    rows = rows_of(con, "heat_map", "centroids", run_name=name)
    words = list(dict.fromkeys(row["words"] for row in rows))
    limit = max((abs(row["z_score"]) for row in rows), default=1.0) or 1.0
    fields = ("segment", "words", "z_score", "readable_value", "readable_population", "text")
    base = _chart([{**row, "text": signed(row["z_score"])} for row in rows], fields)
    base = base.encode(
        x=alt.X("segment:O", axis=alt.Axis(orient="top", labelAngle=0, title="segment")),
        y=alt.Y("words:N", sort=words, title=None, axis=alt.Axis(labelLimit=260)),
        tooltip=[
            alt.Tooltip("segment:O"),
            alt.Tooltip("words:N", title="feature"),
            alt.Tooltip("readable_value:N", title="centre"),
            alt.Tooltip("readable_population:N", title="average of all"),
            alt.Tooltip("z_score:Q", title="z-score", format="+.2f"),
        ],
    )
    scale = alt.Scale(
        domain=[-limit, 0, limit],
        range=[colours.BELOW, colours.MIDDLE, colours.ABOVE],
        interpolate="rgb",
    )
    cells = base.mark_rect(stroke=colours.RULE).encode(
        color=alt.Color("z_score:Q", scale=scale, legend=None)
    )
    numbers = base.mark_text(color=colours.INK, fontSize=11).encode(text="text:N")
    return _layers(
        cells,
        numbers,
        width=width,
        height=24 * len(words),
        title=_title(
            "What sets the segments apart",
            "z-scores: standard deviations below (blue) and above (orange) the average customer",
        ),
        description=f"Heat map of {len(words)} features by segment, as z-scores.",
    )


def revenue(
    con: duckdb.DuckDBPyConnection, *, name: str = "default", width: int = WIDTH
) -> alt.LayerChart:
    """Each segment's share of the customers against its share of the revenue, as bars.

    Parameters
    ----------
    con : DuckDBPyConnection
        With a run of lines that have amounts.
    name : str
        The run's name.
    width : int
        Pixels.

    Raises
    ------
    InputError
        If there is no run of this name, or its lines have no amounts.
    """
    run_of(con, name)
    found = rows_of(con, "segments", "segment_summary", run_name=name)
    if all(row["revenue_share"] is None for row in found):
        raise InputError(
            f"the run {name!r} must be of order lines with an amount to show revenue, got none. "
            "Run it on lines with the column amount"
        )
    rows = [bar for row in found for bar in _bars_of(row)]
    largest = max(bar["value"] or 0.0 for bar in rows)
    room = max(largest, 0.01) * width / (width - 140)  # for the number beside the longest bar
    low = min(0.0, *(bar["value"] or 0.0 for bar in rows))
    segments = [row["segment"] for row in found]
    base = _chart(rows, ("segment", "measure", "value", "text")).encode(
        y=alt.Y("segment:O", axis=None, scale=alt.Scale(domain=segments, paddingInner=0.2)),
        yOffset=alt.YOffset(
            "measure:N", scale=alt.Scale(domain=list(SIZE_MEASURES), paddingInner=0.2)
        ),
        x=alt.X("value:Q", axis=None, scale=alt.Scale(domain=[low, room], nice=False)),
    )
    fills = alt.Scale(domain=list(SIZE_MEASURES[1:]), range=[colours.BESIDE, colours.ACCENT])
    bars = base.transform_filter("datum.measure != 'label'").mark_bar(cornerRadiusEnd=2)
    bars = bars.encode(color=alt.Color("measure:N", scale=fills, legend=None))
    numbers = base.transform_filter("datum.measure != 'label'").mark_text(
        align="left", dx=6, color=colours.QUIET, fontSize=12
    )
    labels = base.transform_filter("datum.measure == 'label'").mark_text(
        align="left", color=colours.INK, fontSize=13, fontWeight=600, limit=OTHER_FONTS * width
    )
    return _layers(
        bars,
        numbers.encode(text="text:N"),
        labels.encode(text="text:N"),
        width=width,
        height=66 * len(segments),
        title=_title("Size against revenue", "each segment's share of the customers and revenue"),
        description="Bars: each segment's share of the customers and of the revenue. "
        + _sentence(
            f"segment {row['segment']} {_percent(row['customer_share'])} and "
            f"{_percent(row['revenue_share'])}"
            for row in found
        ),
    )


def choice_of_k(
    con: duckdb.DuckDBPyConnection, *, name: str = "default", width: int = WIDTH
) -> alt.HConcatChart | alt.VConcatChart:
    """What speaks for and against each number of segments; the best one is marked.

    Two panels: the silhouette beside that of data without segments; and the stability. Below a
    width of 480 pixels they stand one above the other.

    Parameters
    ----------
    con : DuckDBPyConnection
        With a run of ``k="auto"``.
    name : str
        The run's name.
    width : int
        Pixels.

    Raises
    ------
    InputError
        If there is no run of this name, or its number of segments was given.
    """
    run_of(con, name)
    rows = rows_of(con, "choice_of_k", "k_candidates", run_name=name)
    if not rows:
        raise InputError(
            f"the run {name!r} must have tried several numbers of segments, got none that were "
            'tried. Run it with k="auto"'
        )
    is_wide = width >= NARROW
    size = {"width": (width - 110) // 2 if is_wide else width - 50, "height": 190}
    apart = _panel(
        rows,
        ("silhouette", "noise_silhouette"),
        ["Silhouette: how clearly apart", "(dashed: of data without segments)"],
    ).properties(**size)
    stable = _panel(
        rows,
        ("stability", None),
        ["Stability: found again in other samples", f"(dashed: {STABLE}, the least)"],
    ).properties(**size)
    best = [row["k"] for row in rows if row["is_recommended"]]
    chosen = f"Best is {best[0]}." if best else "None is clear and stable."
    concat = alt.hconcat if is_wide else alt.vconcat
    return concat(apart, stable, spacing=30).properties(
        title=_title("How many segments", chosen),
        description=f"Silhouette and stability of {rows[0]['k']} to {rows[-1]['k']} segments. "
        f"{chosen}",
    )


def projection(
    con: duckdb.DuckDBPyConnection,
    *,
    name: str = "default",
    width: int = WIDTH,
    n: int = MOST_POINTS,
) -> alt.LayerChart:
    """Customers in the two directions in which they differ most, coloured and shaped by segment.

    Of the vectors that were clustered, the first two principal components, on one scale: who is
    near is alike. Numbers stand where a segment's customers are on average.

    Parameters
    ----------
    con : DuckDBPyConnection
        With a run.
    name : str
        The run's name.
    width : int
        Pixels.
    n : int
        The most customers to show, 1 to 2,000: those with the smallest md5 of their ids.

    Raises
    ------
    InputError
        If there is no run of this name, or ``n`` is not as above.
    """
    if not 1 <= n <= MOST_POINTS:
        raise InputError(f"n must be an int in the range [1, {MOST_POINTS}], got {n}")
    found = _projected(con, name, n)
    segments = sorted({row["segment"] for row in found.rows})
    looks = [colours.of_segment(segment) for segment in segments]
    scales = _equal_scales(found.rows, width, round(width * 0.66))
    base = _chart(found.rows, ("customer_id", "segment", "x", "y")).encode(
        x=alt.X("x:Q", scale=scales[0], axis=_bare_axis(found.titles[0])),
        y=alt.Y("y:Q", scale=scales[1], axis=_bare_axis(found.titles[1])),
    )
    legend = alt.Legend(
        title="segment", orient="top", direction="horizontal", columns=max(4, width // 60),
        symbolOpacity=1, titleOrient="left", titlePadding=12,
    )  # fmt: skip
    points = base.mark_point(
        filled=True, size=34 if len(found.rows) > FEW_POINTS else 80, opacity=0.6, aria=False
    ).encode(
        color=alt.Color(
            "segment:O",
            scale=alt.Scale(domain=segments, range=[look[0] for look in looks]),
            legend=legend,
        ),
        shape=alt.Shape(
            "segment:O",
            scale=alt.Scale(domain=segments, range=[look[1] for look in looks]),
            legend=legend,
        ),
        tooltip=["customer_id:N", "segment:O"],
    )
    means = _chart(_means(found.rows), ("segment", "x", "y")).encode(
        x=alt.X("x:Q"), y=alt.Y("y:Q"), text=alt.Text("segment:N")
    )
    halo = means.mark_text(
        fontSize=17, fontWeight="bold", stroke="white", strokeWidth=5, color="white"
    )
    return _layers(
        points,
        halo,
        means.mark_text(fontSize=17, fontWeight="bold", color=colours.INK),
        width=width,
        height=round(width * 0.66),
        title=_title("Where the customers stand", *found.caption),
        description=" ".join(found.caption),
    )


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
        raise InputError(f"n must be an int in the range [1, inf), got {n}")
    run_of(con, name)
    rules = rows_of(con, "rules", "rules", run_name=name, n=n)
    if not rules:
        raise InputError(
            f"the run {name!r} must have rules to act on, got none in custseg.top_rules. "
            "Run it on order lines, perhaps with a lower min_support"
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
    return _layers(
        *_line_marks(lines),
        *_node_marks(nodes, laid_out.name_width),
        width=width,
        height=round(laid_out.height),
        title=_title("Bought together", "an arrow leads from what is bought to what goes with it"),
        description=f"Network of {len(rules)} rules. "
        + _sentence(
            f"{' and '.join(item_names(rule, 'antecedent'))} leads to "
            f"{' and '.join(item_names(rule, 'consequent'))}"
            for rule in rules
        ),
    )


def migration(
    con: duckdb.DuckDBPyConnection, *, name: str = "default", width: int = WIDTH
) -> alt.LayerChart:
    """Who moved since the run before: a cell per segment of then and of now.

    Parameters
    ----------
    con : DuckDBPyConnection
        With two runs, the latter a refresh.
    name : str
        The run's name.
    width : int
        Pixels.

    Raises
    ------
    InputError
        If there is no run of this name, or it does not go on from another.
    """
    run_of(con, name)
    found = rows_of(con, "migration", "segment_history", run_name=name)
    if not found:
        raise InputError(
            f"the run {name!r} must go on from one before to show who moved, got a first one. "
            "custseg_duck.refresh(con=con) makes the next"
        )
    rows = [
        {**row, "before": _or(row["from_segment"], NEW), "after": _or(row["to_segment"], GONE)}
        for row in found
    ]
    base = _chart(rows, ("before", "after", "n_customers", "share")).encode(
        x=alt.X(
            "after:O",
            sort=_in_order(row["after"] for row in rows),
            axis=alt.Axis(orient="top", labelAngle=0, title="segment now"),
        ),
        y=alt.Y("before:O", sort=_in_order(row["before"] for row in rows), title="segment before"),
        tooltip=[
            alt.Tooltip("before:O"),
            alt.Tooltip("after:O", title="now"),
            alt.Tooltip("n_customers:Q", title="customers", format=","),
            alt.Tooltip("share:Q", title="share of those before", format=".1%"),
        ],
    )
    scale = alt.Scale(domain=[0, 1], range=[colours.MIDDLE, colours.MUCH], interpolate="rgb")
    cells = base.mark_rect(stroke=colours.RULE).encode(
        color=alt.condition(
            "datum.share == null",
            alt.value(colours.MIDDLE),
            alt.Color("share:Q", scale=scale, legend=None),
        )
    )
    numbers = base.mark_text(color=colours.INK).encode(text=alt.Text("n_customers:Q", format=","))
    n_rows = len({row["before"] for row in rows})
    return _layers(
        cells,
        numbers,
        width=width,
        height=34 * n_rows,
        title=_title("Who moved", "customers; the bluer, the larger a part of those before"),
        description="Customers by their segment in the run before and now.",
    )


class _Projected(NamedTuple):
    """Rows of customer_id, segment, x and y; titles of both axes; and what there is to say."""

    rows: list[Row]
    titles: tuple[str, str]
    caption: list[str]


def _projected(con: duckdb.DuckDBPyConnection, name: str, n: int) -> _Projected:
    """A sample of the customers in their first two principal components."""
    n_customers = run_of(con, name)["n_customers"]
    rows = rows_of(con, "vectors", "customer_features", run_name=name, n=n)
    words = [row["words"] for row in rows_of(con, "vector_features", "models", run_name=name)]
    found = project(np.array([row.pop("features") for row in rows]))
    for row, (x, y) in zip(rows, found.coordinates.round(3).tolist(), strict=True):
        row |= {"x": x, "y": y}
    first, second = (_percent(share) for share in found.shares)
    shown = (
        f"All {n_customers:,} customers."
        if len(rows) == n_customers
        else f"A sample of {len(rows):,} of {n_customers:,} customers."
    )
    caption = [
        f"{shown} Who is near is alike: the picture holds {_percent(found.shares.sum())} of what "
        "customers differ in."
    ]
    along = _along(found, words)
    if along:
        caption.append(along)
    return _Projected(
        rows,
        (f"first direction, {first} of the differences", f"second direction, {second}"),
        caption,
    )


def _along(found: Projection, words: Sequence[str]) -> str:
    """What goes up and down to the right, and upwards."""
    said = []
    for place, axis in zip(("To the right", "Upwards"), found.axes, strict=True):
        order = np.argsort(-np.abs(axis).round(9), kind="stable")[:2]
        parts = [
            f"{'higher' if axis[i] > 0 else 'lower'} {words[i]}"
            for i in order
            if abs(axis[i]) > 0.1  # noqa: PLR2004
        ]
        if parts:
            said.append(f"{place}: {', '.join(parts)}.")
    return " ".join(said)


def _equal_scales(rows: Sequence[Row], width: int, height: int) -> list[alt.Scale]:
    """Scales on which a pixel is the same distance to the right and up."""
    middles, spans = [], []
    for key in ("x", "y"):
        low, high = min(row[key] for row in rows), max(row[key] for row in rows)
        middles.append((low + high) / 2)
        spans.append(high - low)
    unit = max(spans[0] / width, spans[1] / height, 1e-9) * 1.06
    return [
        alt.Scale(domain=[middle - unit * size / 2, middle + unit * size / 2], nice=False)
        for middle, size in zip(middles, (width, height), strict=True)
    ]


def _means(rows: Sequence[Row]) -> list[Row]:
    """Where a segment's customers are on average."""
    places: dict[int, list[tuple[float, float]]] = {}
    for row in rows:
        places.setdefault(row["segment"], []).append((row["x"], row["y"]))
    return [
        {"segment": segment, "x": x, "y": y}
        for segment, found in sorted(places.items())
        for x, y in [np.mean(found, axis=0).round(3).tolist()]
    ]


def _panel(rows: Sequence[Row], keys: tuple[str, str | None], title: list[str]) -> alt.LayerChart:
    """A measure by the number of segments, beside another or the least that is asked for."""
    key, other = keys
    values = [{"k": row["k"], "value": row[key], "reason": row["reason"]} for row in rows]
    x = alt.X("k:O", title="segments", axis=alt.Axis(labelAngle=0, grid=False))
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=True), axis=_light_axis())
    drawn = _chart([row for row in values if row["value"] is not None], ("k", "value", "reason"))
    drawn = drawn.encode(
        x=x, y=y, tooltip=["k:O", alt.Tooltip("value:Q", format=".3f"), "reason:N"]
    )
    beside = _chart(
        [
            {"k": row["k"], "value": STABLE if other is None else row[other]}
            for row in rows
            if other is None or row[other] is not None
        ],
        ("k", "value"),
    ).encode(x=x, y=y)
    best = _chart(
        [
            {**value, "text": f"best: {value['k']}"}
            for row, value in zip(rows, values, strict=True)
            if row["is_recommended"] and value["value"] is not None
        ],
        ("k", "value", "text"),
    ).encode(x=x, y=y)
    return _layers(
        beside.mark_line(color=colours.BESIDE, strokeDash=[5, 4]),
        drawn.mark_line(color=colours.ACCENT),
        drawn.mark_point(color=colours.ACCENT, filled=True, opacity=1, size=40),
        best.mark_point(color=colours.BEST, filled=True, opacity=1, size=130, shape="diamond"),
        best.mark_text(color=colours.INK, dy=-15, fontWeight=600).encode(text="text:N"),
        title=alt.Title(title, fontSize=12, fontWeight=600, anchor="start", offset=14),
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
    base = _chart(lines, fields).encode(tooltip=tooltip)
    width = alt.StrokeWidth(
        "confidence:Q", scale=alt.Scale(domain=[0, 1], range=[1, 6]), legend=None
    )
    drawn = base.mark_rule(color=colours.BESIDE).encode(
        x=_pixels("x", alt.X), y=_pixels("y", alt.Y), x2="x2", y2="y2", strokeWidth=width
    )
    heads = base.transform_filter("datum.has_head").mark_point(
        shape="triangle", filled=True, opacity=1, size=60, color=colours.QUIET
    )
    return drawn, heads.encode(
        x=_pixels("x2", alt.X),
        y=_pixels("y2", alt.Y),
        angle=alt.Angle("angle:Q", scale=alt.Scale(domain=[0, 360], range=[0, 360])),
    )


def _node_marks(nodes: Sequence[Row], name_width: float) -> list[alt.Chart]:
    """Dots, and the items' names beside them."""
    base = _chart(nodes, ("x", "y", "item", "kind", "side")).encode(
        x=_pixels("x", alt.X), y=_pixels("y", alt.Y)
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


def _bars_of(row: Row) -> list[Row]:
    """A segment's name and its two bars."""
    told = " · ".join(filter(None, (str(row["segment"]), row["label"])))
    return [
        {"segment": row["segment"], "measure": measure, "value": value, "text": text}
        for measure, value, text in (
            ("label", 0.0, told),
            ("customers", row["customer_share"], f"{_percent(row['customer_share'])} of customers"),
            ("revenue", row["revenue_share"], f"{_percent(row['revenue_share'])} of revenue"),
        )
    ]


def _chart(rows: Sequence[Row], fields: Sequence[str]) -> alt.Chart:
    """A chart of these fields of rows."""
    return alt.Chart(alt.InlineData(values=[{key: row[key] for key in fields} for row in rows]))


def _layers(*charts: alt.Chart, **properties: Any) -> alt.LayerChart:
    """Charts on each other, without a frame."""
    layered = cast("alt.LayerChart", alt.layer(*charts))
    return layered.properties(view=alt.ViewBackground(stroke=None), **properties)


def _title(text: str, *subtitle: str) -> alt.Title:
    return alt.Title(
        text, subtitle=list(subtitle), anchor="start", subtitleColor=colours.QUIET, offset=12
    )


def _bare_axis(title: str) -> alt.Axis:
    """Of a scale whose numbers say nothing."""
    return alt.Axis(
        title=title, labels=False, ticks=False, grid=False, domain=False, titleAnchor="start",
        titleColor=colours.QUIET, titleFontWeight="normal",
    )  # fmt: skip


def _light_axis() -> alt.Axis:
    return alt.Axis(
        grid=True,
        gridColor=colours.RULE,
        domain=False,
        ticks=False,
        tickCount=5,
        titleAnchor="start",
    )


def _pixels(field: str, channel: type[Any]) -> Any:
    """A field that holds pixels from the left or from the top."""
    size = "width" if channel is alt.X else "height"
    scale = alt.Scale(domain=[0, alt.ExprRef(size)], range=[0, alt.ExprRef(size)], nice=False)
    return channel(f"{field}:Q", axis=None, scale=scale)


def _percent(share: float | None) -> str:
    return "none" if share is None or math.isnan(share) else f"{share:.1%}"


def _sentence(parts: Any) -> str:
    return "; ".join(parts) + "."


def _or(segment: int | None, word: str) -> str:
    return word if segment is None else str(segment)


def _in_order(segments: Any) -> list[str]:
    """Numbers by size, then words."""
    return sorted(
        set(segments), key=lambda one: (not one.isdigit(), int(one) if one.isdigit() else 0)
    )
