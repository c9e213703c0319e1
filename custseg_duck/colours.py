"""The colours of charts and reports: of Okabe and Ito (2008), which colour-blind people tell apart.

Yellow is left out, which is too pale for lines and dots, and black is a grey. Texts are dark on all
backgrounds, with a contrast of at least 4.5 (WCAG 2.2, AA).
"""

INK = "#1c2430"  # texts
QUIET = "#4a5563"  # texts that explain
RULE = "#d8dce2"  # lines
ACCENT = "#0072b2"
BEST = "#d55e00"  # what is chosen
BESIDE = "#9aa3ae"  # what something is compared with

SEGMENTS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5f6670")
# As many shapes as have no divisor in common with the colours: 42 segments look different
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")

BELOW, MIDDLE, ABOVE = "#78b6e2", "#ffffff", "#f2a968"  # of a diverging scale
MUCH = "#8cc0e8"  # of a scale from the middle up


def of_segment(segment: int) -> tuple[str, str]:
    """Colour and shape of a segment, by its number."""
    return SEGMENTS[segment % len(SEGMENTS)], SHAPES[segment % len(SHAPES)]


def diverging(value: float, limit: float) -> str:
    """The colour of a value between -limit (blue), 0 (white) and limit (orange)."""
    return _between(MIDDLE, ABOVE if value > 0 else BELOW, abs(value) / limit if limit else 0)


def sequential(value: float, limit: float) -> str:
    """The colour of a value between 0 (white) and limit (blue)."""
    return _between(MIDDLE, MUCH, value / limit if limit else 0)


def _between(first: str, last: str, share: float) -> str:
    """The colour that lies ``share`` of the way, 0 to 1, from the first to the last."""
    share = min(max(share, 0.0), 1.0)
    channels = (
        round(
            int(first[place : place + 2], 16) * (1 - share)
            + int(last[place : place + 2], 16) * share
        )
        for place in (1, 3, 5)
    )
    return "#" + "".join(f"{channel:02x}" for channel in channels)
