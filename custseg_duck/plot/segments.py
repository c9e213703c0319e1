"""Segments as charts: what sets them apart, their size, and how many there are."""

from collections.abc import Sequence

import altair as alt
import duckdb

from custseg_duck import colours
from custseg_duck.errors import InputError
from custseg_duck.plot.axes import (
    OTHER_FONTS,
    WIDTH,
    chart_of,
    layers,
    light_axis,
    percent,
    sentence,
    title_of,
)
from custseg_duck.reading import Row, rows_of, run_of, signed

NARROW = 480  # below it panels stand one above the other
STABLE = 0.7  # what custseg.k_sweep asks of a number of segments
SIZE_MEASURES = ("label", "customers", "revenue")


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
    base = chart_of([{**row, "text": signed(row["z_score"])} for row in rows], fields)
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
    return layers(
        cells,
        numbers,
        width=width,
        height=24 * len(words),
        title=title_of(
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
    found = rows_of(con, "segments", "segment_summary", run_name=name, n=0)
    if all(row["revenue_share"] is None for row in found):
        raise InputError(
            f"the run {name!r} must be of order lines with an amount to show revenue, got none. "
            "Run it on lines with the column amount [no-result]"
        )
    rows = [bar for row in found for bar in _bars_of(row)]
    largest = max(bar["value"] or 0.0 for bar in rows)
    room = max(largest, 0.01) * width / (width - 140)  # for the number beside the longest bar
    low = min(0.0, *(bar["value"] or 0.0 for bar in rows))
    segments = [row["segment"] for row in found]
    base = chart_of(rows, ("segment", "measure", "value", "text")).encode(
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
    return layers(
        bars,
        numbers.encode(text="text:N"),
        labels.encode(text="text:N"),
        width=width,
        height=66 * len(segments),
        title=title_of("Size against revenue", "each segment's share of the customers and revenue"),
        description="Bars: each segment's share of the customers and of the revenue. "
        + sentence(
            f"segment {row['segment']} {percent(row['customer_share'])} and "
            f"{percent(row['revenue_share'])}"
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
            'tried. Run it with k="auto" [no-result]'
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
        title=title_of("How many segments", chosen),
        description=f"Silhouette and stability of {rows[0]['k']} to {rows[-1]['k']} segments. "
        f"{chosen}",
    )


def _panel(rows: Sequence[Row], keys: tuple[str, str | None], title: list[str]) -> alt.LayerChart:
    """A measure by the number of segments, beside another or the least that is asked for."""
    key, other = keys
    values = [{"k": row["k"], "value": row[key], "reason": row["reason"]} for row in rows]
    x = alt.X("k:O", title="segments", axis=alt.Axis(labelAngle=0, grid=False))
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=True), axis=light_axis())
    drawn = chart_of([row for row in values if row["value"] is not None], ("k", "value", "reason"))
    drawn = drawn.encode(
        x=x, y=y, tooltip=["k:O", alt.Tooltip("value:Q", format=".3f"), "reason:N"]
    )
    beside = chart_of(
        [
            {"k": row["k"], "value": STABLE if other is None else row[other]}
            for row in rows
            if other is None or row[other] is not None
        ],
        ("k", "value"),
    ).encode(x=x, y=y)
    best = chart_of(
        [
            {**value, "text": f"best: {value['k']}"}
            for row, value in zip(rows, values, strict=True)
            if row["is_recommended"] and value["value"] is not None
        ],
        ("k", "value", "text"),
    ).encode(x=x, y=y)
    return layers(
        beside.mark_line(color=colours.BESIDE, strokeDash=[5, 4]),
        drawn.mark_line(color=colours.ACCENT),
        drawn.mark_point(color=colours.ACCENT, filled=True, opacity=1, size=40),
        best.mark_point(color=colours.BEST, filled=True, opacity=1, size=130, shape="diamond"),
        best.mark_text(color=colours.INK, dy=-15, fontWeight=600).encode(text="text:N"),
        title=alt.Title(title, fontSize=12, fontWeight=600, anchor="start", offset=14),
    )


def _bars_of(row: Row) -> list[Row]:
    """A segment's name and its two bars."""
    told = " · ".join(filter(None, (str(row["segment"]), row["label"])))
    return [
        {"segment": row["segment"], "measure": measure, "value": value, "text": text}
        for measure, value, text in (
            ("label", 0.0, told),
            ("customers", row["customer_share"], f"{percent(row['customer_share'])} of customers"),
            ("revenue", row["revenue_share"], f"{percent(row['revenue_share'])} of revenue"),
        )
    ]
