"""Charts as parts of a page: SVG without scripts, once for wide screens and once for phones."""

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

import altair as alt
from markupsafe import Markup

from custseg_duck import colours

WIDE, NARROW = 860, 300  # pixels that a chart may take, without what is beside its axes
FONT = "Arial, Helvetica, sans-serif"  # measured with; the page has the system's

_LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_REFERENCE = re.compile(r"url\(#([^)]*)\)")
_NUMBERS = ("d", "transform", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "font-size")
# What is so anyway, or is for programs that a file cannot have
_NEEDLESS = {
    "pointer-events", "aria-hidden", "aria-roledescription", "aria-label", "role", "class",
    "font-family", "stroke-miterlimit", "version",
}  # fmt: skip


class Figure(NamedTuple):
    """A chart in two widths, and what it shows in words."""

    wide: Markup
    narrow: Markup
    description: str


class Figures:
    """Makes figures whose ids do not meet each other on one page."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def __call__(
        self, make: Callable[..., Any], *args: object, wide: int = WIDE, **options: object
    ) -> Figure:
        """The figure of a function of ``custseg_duck.plot``."""
        charts = [make(*args, width=width, **options) for width in (wide, NARROW)]
        on_screens, on_phones = (self._svg(chart) for chart in charts)
        return Figure(on_screens, on_phones, str(charts[0].description))

    def _svg(self, chart: Any) -> Markup:
        """A chart without its title, for the page has its own."""
        bare = chart.copy(deep=False)
        bare.title = alt.Undefined
        styled = bare.configure(
            font=FONT,
            view=alt.ViewConfig(stroke=None),
            axis=alt.AxisConfig(
                labelColor=colours.QUIET,
                titleColor=colours.QUIET,
                titleFontWeight="normal",
                labelFontSize=12,
                titleFontSize=12,
                domainColor=colours.RULE,
                tickColor=colours.RULE,
            ),
            legend=alt.LegendConfig(
                labelColor=colours.INK, titleColor=colours.QUIET, titleFontWeight="normal",
                labelFontSize=12, titleFontSize=12,
            ),
            title=alt.TitleConfig(color=colours.INK),
            padding=4,
        )  # fmt: skip
        text = io.StringIO()
        styled.save(text, format="svg")
        return inlined(text.getvalue(), f"f{next(self._numbers)}-", str(chart.description))


def inlined(svg: str, prefix: str, description: str) -> Markup:
    """An SVG document as an element of a page, which says what it shows.

    Its ids become ``prefix`` and a number; what is needless is left out, and numbers are rounded.
    """
    root = ET.fromstring(svg)  # noqa: S314 - that we have just made
    # they count on from chart to chart, and the same page is to be the same text
    ids: dict[str, str] = {}
    for element in root.iter():
        if "id" in element.attrib:
            ids[element.attrib["id"]] = f"{prefix}{len(ids) + 1}"
    for element in root.iter():
        element.tag = element.tag.partition("}")[2]
        for name, value in list(element.attrib.items()):
            if name in _NEEDLESS or name.startswith("{"):
                del element.attrib[name]
            elif name == "id":
                element.set(name, ids[value])
            elif name in _NUMBERS:
                element.set(name, _LONG_NUMBER.sub(_rounded, value))
            else:
                element.set(name, _REFERENCE.sub(lambda found: f"url(#{ids[found[1]]})", value))
    _pruned(root)
    root.attrib |= {"role": "img", "aria-label": description}
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - escaped by ElementTree


def _pruned(element: ET.Element) -> None:
    """Without what shows nothing, and without groups that say nothing."""
    children: list[ET.Element] = []
    for child in element:
        _pruned(child)
        is_empty = child.tag == "g" and not len(child)
        is_nothing = child.tag == "path" and child.get("d", "") in ("", "M0,0h0v0h0Z")
        if is_empty or is_nothing or child.get("display") == "none":
            continue
        children += list(child) if child.tag == "g" and not child.attrib else [child]
    element[:] = children


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}".removesuffix(".0")
