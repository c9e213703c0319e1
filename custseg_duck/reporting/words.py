"""Numbers, dates and names as a reader of the report has them."""

import datetime
import math
from collections.abc import Callable
from decimal import Decimal

from custseg_duck.reading import signed

Number = float | int | Decimal | None

NOTHING = "–"  # noqa: RUF001
MILLION = 1_000_000
MUCH = 10  # from here on without decimals


def count(number: Number) -> str:
    """A whole number, thousands apart."""
    return NOTHING if number is None else f"{number:,.0f}"


def share(part: Number) -> str:
    """A part of 1, in percent."""
    return NOTHING if part is None or math.isnan(part) else f"{part:.1%}"


def money(amount: Number) -> str:
    """An amount in the shop's currency, which nobody told us."""
    millions = 0.0 if amount is None else float(amount) / MILLION
    return count(amount) if abs(millions) < 1 else f"{millions:,.2f} million"


def times(factor: Number) -> str:
    """How many times as much."""
    if factor is None or math.isnan(factor):
        return NOTHING
    return f"{factor:,.0f}" if factor >= MUCH else f"{factor:.1f}"


def decimal(number: Number) -> str:
    """Two places."""
    return NOTHING if number is None else f"{number:,.2f}"


def date(moment: datetime.datetime | str | None) -> str:
    """The day, in words."""
    return _day_of(moment, "%B %Y")


def day(moment: datetime.datetime | str | None) -> str:
    """The day, in short."""
    return _day_of(moment, "%b %Y")


def _day_of(moment: datetime.datetime | str | None, rest: str) -> str:
    """A text is what DuckDB gives of a year that Python has not, such as 20244 for 2024."""
    if moment is None or isinstance(moment, str):
        return moment or NOTHING
    return f"{moment.day} {moment:{rest}}"


def short(name: str, most: int = 60) -> str:
    """A name of at most so many characters."""
    return name if len(name) <= most else f"{name[: most - 1].rstrip()}…"


FILTERS: dict[str, Callable[..., str]] = {
    "count": count,
    "share": share,
    "money": money,
    "times": times,
    "decimal": decimal,
    "date": date,
    "day": day,
    "short": short,
    "signed": signed,
}
