"""Customers as points: near is alike."""

from collections.abc import Sequence
from typing import NamedTuple

import altair as alt
import duckdb
import numpy as np

from custseg_duck import colours
from custseg_duck.errors import InputError
from custseg_duck.plot.axes import (
    WIDTH,
    bare_axis,
    chart_of,
    layers,
    percent,
    title_of,
)
from custseg_duck.reading import Row, rows_of, run_of
from custseg_duck.udfs.projection import Projection, project

MOST_POINTS = 2000
FEW_POINTS = 300  # up to here they are drawn larger
LEAST_LOADING = 0.1  # of a feature that is said to lie along an axis


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
        raise InputError(f"n must be an int in the range [1, {MOST_POINTS}], got {n} [option]")
    found = _projected(con, name, n)
    segments = sorted({row["segment"] for row in found.rows})
    looks = [colours.of_segment(segment) for segment in segments]
    scales = _equal_scales(found.rows, width, round(width * 0.66))
    base = chart_of(found.rows, ("customer_id", "segment", "x", "y")).encode(
        x=alt.X("x:Q", scale=scales[0], axis=bare_axis(found.titles[0])),
        y=alt.Y("y:Q", scale=scales[1], axis=bare_axis(found.titles[1])),
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
    means = chart_of(_means(found.rows), ("segment", "x", "y")).encode(
        x=alt.X("x:Q"), y=alt.Y("y:Q"), text=alt.Text("segment:N")
    )
    halo = means.mark_text(
        fontSize=17, fontWeight="bold", stroke="white", strokeWidth=5, color="white"
    )
    return layers(
        points,
        halo,
        means.mark_text(fontSize=17, fontWeight="bold", color=colours.INK),
        width=width,
        height=round(width * 0.66),
        title=title_of("Where the customers stand", *found.caption),
        description=" ".join(found.caption),
    )


class _Projected(NamedTuple):
    """Rows of customer_id, segment, x and y; titles of both axes; and what there is to say."""

    rows: list[Row]
    titles: tuple[str, str]
    caption: list[str]


def _projected(con: duckdb.DuckDBPyConnection, name: str, n: int) -> _Projected:
    """A sample of the customers in their first two principal components."""
    n_customers = run_of(con, name)["n_customers"]
    words = [row["words"] for row in rows_of(con, "vector_features", "models", run_name=name)]
    if not words:
        raise InputError(
            f"the model of the run {name!r} must be stored to show who is near, got none [no-model]"
        )
    rows = rows_of(con, "vectors", "customer_features", run_name=name, n=n)
    found = project(np.array([row.pop("features") for row in rows]))
    for row, (x, y) in zip(rows, found.coordinates.round(3).tolist(), strict=True):
        row |= {"x": x, "y": y}
    first, second = (percent(share) for share in found.shares)
    shown = (
        f"All {n_customers:,} customers."
        if len(rows) == n_customers
        else f"A sample of {len(rows):,} of {n_customers:,} customers."
    )
    caption = [
        f"{shown} Who is near is alike: the picture holds {percent(found.shares.sum())} of what "
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
            if abs(axis[i]) > LEAST_LOADING
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
