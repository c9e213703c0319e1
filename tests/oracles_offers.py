"""What segment_rules, sequences and item_levels promise, in plain Python: without their SQL.

Slow and literal on purpose, from the definitions. ``None`` is NULL.
"""

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import combinations
from typing import Any

from oracles import Itemset, Line, Row, baskets, is_purchase, min_count_of
from oracles_rules import benjamini_hochberg, fisher_p_value

Baskets = Collection[Itemset]
SegmentRule = tuple[Any, Itemset, Any]
Step = tuple[Any, Any]


def least_count(n: int, min_support: float, min_count: int | None) -> int:
    """How many of n are frequent."""
    return min_count_of(min_support, n) if min_count is None else min_count


def ratio(part: Fraction | int | None, of: Fraction | int | None) -> Fraction | None:
    """A division by nothing, or of or by what is unknown, is unknown."""
    return Fraction(part) / of if part is not None and of else None


def as_float(value: Fraction | None) -> float | None:
    """Nothing where it is unknown."""
    return None if value is None else float(value)


def adjusted(p_values: Sequence[float | Fraction | None], n_tests: int) -> list[float | None]:
    """Benjamini-Hochberg among n_tests; what is unknown stays so, and counts as 1 to the others."""
    known = [Fraction(p) for p in p_values if p is not None]
    found = iter(benjamini_hochberg(known, n_tests))
    return [None if p is None else float(next(found)) for p in p_values]


# --- rules of segments ---------------------------------------------------------------------------


def segment_baskets(
    lines: Sequence[Line], segments: Iterable[tuple[Any, Any]], item: str
) -> dict[Any, list[Itemset]]:
    """The orders of each segment: what its customers bought in them."""
    segment_of = {customer: segment for customer, segment in segments if customer is not None}
    by_segment: dict[Any, list[Line]] = defaultdict(list)
    for line in lines:
        segment = segment_of.get(line["customer_id"])
        if segment is not None:
            by_segment[segment].append(line)
    return {
        segment: [frozenset(held) for held in baskets(theirs, item).values()]
        for segment, theirs in by_segment.items()
    }


def held_by(orders: Baskets, items: Itemset) -> int:
    """How many orders hold all of the items."""
    return sum(items <= order for order in orders)


def buyers_of(
    lines: Sequence[Line], segments: Iterable[tuple[Any, Any]], segment: Any, item: str
) -> dict[Any, tuple[Any, Itemset]]:
    """The first customer who bought an item in each order of a segment, and what it holds."""
    theirs = [customer for customer, other in segments if other == segment]
    kept = [line for line in lines if line["customer_id"] in theirs]
    buyers = {
        order: min(line["customer_id"] for line in kept if order in baskets([line], item))
        for order in baskets(kept, item)
    }
    return {order: (buyers[order], frozenset(held)) for order, held in baskets(kept, item).items()}


def segment_rules(
    lines: Sequence[Line],
    segments: Sequence[tuple[Any, Any]],
    *,
    min_support: float = 0.01,
    min_count: int | None = None,
    max_length: int = 2,
    item: str = "product_id",
    min_confidence: str = "0.1",
) -> dict[SegmentRule, Row]:
    """Every column of every rule, but for the names and the ids; by segment and both sides."""
    by_segment = segment_baskets(lines, segments, item)
    rules: dict[SegmentRule, Row] = {}
    for segment, orders in by_segment.items():
        rest = [order for other in by_segment if other != segment for order in by_segment[other]]
        buyers = buyers_of(lines, segments, segment, item)
        least = least_count(len(orders), min_support, min_count)
        single = {one for order in orders for one in order}
        frequent = sorted(one for one in single if held_by(orders, frozenset([one])) >= least)
        for n_antecedents in range(1, max_length):
            found: dict[SegmentRule, Row] = {}
            exact = []
            for chosen in combinations(frequent, n_antecedents + 1):
                count = held_by(orders, frozenset(chosen))
                if count < least:
                    continue
                for consequent in chosen:
                    antecedents = frozenset(chosen) - {consequent}
                    if Fraction(count, held_by(orders, antecedents)) < Fraction(min_confidence):
                        continue
                    row, p_values = segment_rule(orders, rest, antecedents, consequent)
                    by_customer = Counter(
                        buyer for buyer, held in buyers.values() if held >= frozenset(chosen)
                    )
                    row["n_customers"] = len(by_customer)
                    row["effective_customers"] = count**2 / sum(n**2 for n in by_customer.values())
                    found[segment, antecedents, consequent] = row
                    exact.append(p_values)
            n_items = len(frequent)
            n_tests = math.comb(n_items, n_antecedents) * (n_items - n_antecedents)
            within = adjusted([p for p, _ in exact], n_tests)
            contrast = adjusted([p for _, p in exact], n_tests)
            for row, p, contrast_p in zip(found.values(), within, contrast, strict=True):
                row |= {"n_tests": n_tests, "p_value_bh": p, "contrast_p_value_bh": contrast_p}
            rules |= found
    return rules


def segment_rule(
    orders: Baskets, rest: Baskets, antecedents: Itemset, consequent: Any
) -> tuple[Row, tuple[Fraction, Fraction | None]]:
    """A rule in a segment and in the others; its p values within and against them, exactly."""
    sets = antecedents, frozenset([consequent]), antecedents | {consequent}
    n, n_rest = len(orders), len(rest)
    a, c, b = (held_by(orders, items) for items in sets)
    a_rest, c_rest, b_rest = (held_by(rest, items) for items in sets)
    confidence, rest_confidence = Fraction(b, a), ratio(b_rest, a_rest)
    lift, rest_lift = confidence / Fraction(c, n), ratio(rest_confidence, ratio(c_rest, n_rest))
    p_value = fisher_p_value(n, a, c, b)
    contrast_p_value = None
    if a_rest:  # among all orders with the antecedents: do more of the segment hold the consequent?
        contrast_p_value = fisher_p_value(a + a_rest, a, b + b_rest, b)
    row = {
        "n_orders": n,
        "antecedent_support": a / n,
        "consequent_support": c / n,
        "support": b / n,
        "support_count": b,
        "confidence": float(confidence),
        "lift": float(lift),
        "p_value": float(p_value),
        "rest_orders": n_rest,
        "rest_support_count": b_rest,
        "rest_support": as_float(ratio(b_rest, n_rest)),
        "rest_confidence": as_float(rest_confidence),
        "rest_lift": as_float(rest_lift),
        "confidence_difference": None
        if rest_confidence is None
        else float(confidence - rest_confidence),
        "lift_ratio": as_float(ratio(lift, rest_lift)),
        "contrast_p_value": as_float(contrast_p_value),
    }
    return row, (p_value, contrast_p_value)


# --- sequences -----------------------------------------------------------------------------------


@dataclass
class Occasion:
    """A dated order of one customer."""

    customer_id: Any
    times: list[datetime] = field(default_factory=list)
    items: set[Any] = field(default_factory=set)

    @property
    def time(self) -> datetime:
        """When its first line was."""
        return min(self.times)


def occasions(lines: Iterable[Line], item: str) -> list[Occasion]:
    """The orders with a date, one per customer and order id; lines without an item do not count."""
    by_key: dict[tuple[Any, Any], Occasion] = {}
    for line in lines:
        key = line["customer_id"], line["order_id"]
        if None in key or line[item] is None or not is_purchase(line):
            continue
        occasion = by_key.setdefault(key, Occasion(line["customer_id"]))
        occasion.items.add(line[item])
        if line["ordered_at"] is not None:
            occasion.times.append(line["ordered_at"])
    return [occasion for occasion in by_key.values() if occasion.times]


@dataclass
class Anchor:
    """An occasion that was followed for the whole time, and after how long each item came."""

    occasion: Occasion
    followed_after: dict[Any, timedelta]


def anchors_of(every: Sequence[Occasion], within: timedelta) -> list[Anchor]:
    """The occasions that end early enough to see what follows."""
    last = max((occasion.time for occasion in every), default=datetime.min)
    anchors = []
    for occasion in every:
        if last - occasion.time < within:
            continue
        after: dict[Any, timedelta] = {}
        for other in every:
            elapsed = other.time - occasion.time
            if other.customer_id == occasion.customer_id and timedelta(0) < elapsed <= within:
                for item in other.items:
                    after[item] = min(elapsed, after.get(item, elapsed))
        anchors.append(Anchor(occasion, after))
    return anchors


def sequences(
    lines: Sequence[Line],
    *,
    within_days: int = 30,
    min_support: float = 0.01,
    min_count: int | None = None,
    item: str = "product_id",
    min_confidence: str = "0",
) -> dict[Step, Row]:
    """Every column but the names, by antecedent and consequent."""
    every = occasions(lines, item)
    anchors = anchors_of(every, timedelta(days=within_days))
    n = len(anchors)
    least = least_count(n, min_support, min_count)
    items = {one for anchor in anchors for one in {*anchor.occasion.items, *anchor.followed_after}}
    n_holding = {one: sum(one in anchor.occasion.items for anchor in anchors) for one in items}
    n_followed = {one: sum(one in anchor.followed_after for anchor in anchors) for one in items}
    n_orders = Counter(one for occasion in every for one in {*occasion.items})
    frequent = [one for one in n_orders if n_orders[one] >= least]
    first = [one for one in frequent if n_holding.get(one)]
    second = [one for one in frequent if n_followed.get(one)]
    n_tests = len(frequent) * (len(frequent) - 1)
    rows: dict[Step, Row] = {}
    for start in first:
        for end in second:
            both = [
                anchor
                for anchor in anchors
                if start in anchor.occasion.items and end in anchor.followed_after
            ]
            confidence = Fraction(len(both), n_holding[start])
            if start == end or len(both) < least or confidence < Fraction(min_confidence):
                continue
            z = z_score(anchors, start, end)
            days = [anchor.followed_after[end] / timedelta(days=1) for anchor in both]
            rows[start, end] = {
                "n_orders": n,
                "antecedent_count": n_holding[start],
                "consequent_count": n_followed[end],
                "support_count": len(both),
                "n_customers": len({anchor.occasion.customer_id for anchor in both}),
                "support": len(both) / n,
                "confidence": float(confidence),
                "lift": float(confidence / Fraction(n_followed[end], n)),
                "median_days": statistics.median(days),
                "z_score": z,
                "p_value": None if z is None else math.erfc(z / math.sqrt(2)) / 2,
                "n_tests": n_tests,
            }
    adjusted_p_values = adjusted([row["p_value"] for row in rows.values()], n_tests)
    for row, p_value in zip(rows.values(), adjusted_p_values, strict=True):
        row["p_value_bh"] = p_value
    return rows


def z_score(anchors: Iterable[Anchor], start: Any, end: Any) -> float | None:
    """How much more often ``end`` follows ``start`` than other orders of the same customers.

    In standard deviations, as Mantel and Haenszel have it; unknown where it could not be otherwise.
    """
    by_customer: dict[Any, list[tuple[bool, bool]]] = defaultdict(list)
    for anchor in anchors:
        outcome = start in anchor.occasion.items, end in anchor.followed_after
        by_customer[anchor.occasion.customer_id].append(outcome)
    excess = variance = Fraction(0)
    for outcomes in by_customer.values():
        n = len(outcomes)
        if n < 2:
            continue
        a = sum(holds for holds, _ in outcomes)
        c = sum(is_followed for _, is_followed in outcomes)
        excess += sum(map(all, outcomes)) - Fraction(a * c, n)
        variance += Fraction(a * (n - a) * c * (n - c), n**2 * (n - 1))
    return float(excess) / math.sqrt(variance) if variance else None


# --- levels --------------------------------------------------------------------------------------

LevelItem = tuple[str, str]


def item_levels(
    lines: Iterable[Line], levels: Sequence[str]
) -> tuple[dict[Any, set[LevelItem]], dict[LevelItem, set[LevelItem]]]:
    """The items of each order; the ancestors that each item has on any line of an order."""
    orders: dict[Any, set[LevelItem]] = defaultdict(set)
    ancestors: dict[LevelItem, set[LevelItem]] = defaultdict(set)
    for line in lines:
        if line["order_id"] is None or not is_purchase(line):
            continue
        items = [(level, str(line[level])) for level in levels if line[level] is not None]
        for place, one in enumerate(items):
            orders[line["order_id"]].add(one)
            ancestors[one] |= set(items[place + 1 :])
    return dict(orders), dict(ancestors)


def unrelated_itemsets(
    counts: Mapping[Itemset, int], ancestors: Mapping[LevelItem, set[LevelItem]]
) -> dict[Itemset, int]:
    """The sets that hold no item together with one of its ancestors."""
    return {
        items: count
        for items, count in counts.items()
        if not any(ancestors[one] & items for one in items)
    }
