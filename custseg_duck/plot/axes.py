"""What the charts have in common."""

import math
from collections.abc import Sequence
from typing import Any, cast

import altair as alt

from custseg_duck import colours
from custseg_duck.reading import Row

WIDTH = 640  # pixels
OTHER_FONTS = 0.86  # texts are measured in Arial, and some fonts are wider


def chart_of(rows: Sequence[Row], fields: Sequence[str]) -> alt.Chart:
    """A chart of these fields of rows."""
    return alt.Chart(alt.InlineData(values=[{key: row[key] for key in fields} for row in rows]))


def layers(*charts: alt.Chart, **properties: Any) -> alt.LayerChart:
    """Charts on each other, without a frame."""
    layered = cast("alt.LayerChart", alt.layer(*charts))
    return layered.properties(view=alt.ViewBackground(stroke=None), **properties)


def title_of(text: str, *subtitle: str) -> alt.Title:
    """A chart's title, with what it shows below it."""
    return alt.Title(
        text, subtitle=list(subtitle), anchor="start", subtitleColor=colours.QUIET, offset=12
    )


def bare_axis(title: str) -> alt.Axis:
    """Of a scale whose numbers say nothing."""
    return alt.Axis(
        title=title, labels=False, ticks=False, grid=False, domain=False, titleAnchor="start",
        titleColor=colours.QUIET, titleFontWeight="normal",
    )  # fmt: skip


def light_axis() -> alt.Axis:
    """An axis with a grid and hardly a line."""
    return alt.Axis(
        grid=True,
        gridColor=colours.RULE,
        domain=False,
        ticks=False,
        tickCount=5,
        titleAnchor="start",
    )


def pixels(field: str, channel: type[Any]) -> Any:
    """A field that holds pixels from the left or from the top."""
    size = "width" if channel is alt.X else "height"
    scale = alt.Scale(domain=[0, alt.ExprRef(size)], range=[0, alt.ExprRef(size)], nice=False)
    return channel(f"{field}:Q", axis=None, scale=scale)


def percent(share: float | None) -> str:
    """A share in words, of what is read aloud."""
    return "none" if share is None or math.isnan(share) else f"{share:.1%}"


def sentence(parts: Any) -> str:
    """What the parts say, one after the other."""
    return "; ".join(parts) + "."


def segment_or(segment: int | None, word: str) -> str:
    """The segment's number, or a word for none."""
    return word if segment is None else str(segment)


def in_order(segments: Any) -> list[str]:
    """Numbers by size, then words."""
    return sorted(
        set(segments), key=lambda one: (not one.isdigit(), int(one) if one.isdigit() else 0)
    )
