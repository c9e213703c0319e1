"""What lines, segments, vectors and offers promise, in plain Python: from the headers alone.

Slow and literal on purpose. ``None`` is NULL.
"""

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from oracles import Line, Row, is_purchase, kept_lines, kind, number, spent

IDS = ("customer_id", "order_id", "product_id")
Kept = tuple[Any, ...]


# --- order lines ---------------------------------------------------------------------------------


def order_lines(
    lines: Sequence[Line],
    *,
    since: datetime | None = None,
    as_of: datetime | None = None,
    exclude_items: Collection[Any] = (),
    returns: str = "net",
    duplicates: str = "keep",
    empty_lines: str = "drop",
) -> Counter[Kept]:
    """How often each line is kept: its ids, time, quantity, amount, and whether it is a return."""
    kept: Counter[Kept] = Counter()
    for line in lines:
        time = line.get("ordered_at")
        if any(line[name] is None for name in IDS) or line["product_id"] in exclude_items:
            continue
        if (since or as_of) and (
            time is None or (since and time < since) or (as_of and time >= as_of)
        ):
            continue
        what = kind(line)
        if (what, returns) == ("return", "drop") or (what, empty_lines) == ("empty", "drop"):
            continue
        amounts = number(line.get("quantity")), spent(line)
        kept[*(line[name] for name in IDS), time, *amounts, what == "return"] += 1
    return Counter(dict.fromkeys(kept, 1)) if duplicates == "drop" else kept


# --- vectors -------------------------------------------------------------------------------------


def vectors(features: Mapping[Any, Row], transform: Sequence[Mapping[str, Any]]) -> dict[Any, Any]:
    """The vector of each customer by a transform."""
    return {
        customer: [
            one["weight"] * (transformed(raw(row, one), one) - one["center"]) / one["scale"]
            for one in transform
        ]
        for customer, row in features.items()
    }


def raw(row: Row, one: Mapping[str, Any]) -> float | None:
    """The value of a feature: of a department its share, 0 where a customer bought elsewhere."""
    if one["department"] is None:
        value = row[one["name"]]
        return None if value is None else float(value)
    shares = row["department_share"]
    return None if shares is None else float(shares.get(one["department"], 0))


def transformed(value: float | None, one: Mapping[str, Any]) -> float:
    """A value where differences compare, the unknown one as the usual one."""
    known = one["fill"] if value is None else value
    if one["transform"] == "identity":
        return float(known)
    return math.copysign(math.log1p(abs(known) / one["unit"]), known)


# --- segments ------------------------------------------------------------------------------------


def segment_summary(features: Mapping[Any, Row], segments: Mapping[Any, int]) -> dict[Any, Row]:
    """The size of each segment and its parts of the whole."""
    rows = {}
    totals = Counter[str]()
    for segment in set(segments.values()):
        theirs = [features[customer] for customer in segments if segments[customer] == segment]
        spent = [Decimal(str(row["monetary"])) for row in theirs if row["monetary"] is not None]
        rows[segment] = {
            "n_customers": len(theirs),
            "revenue": float(sum(spent)) if spent else None,
            "n_orders": sum(row["frequency"] for row in theirs),
        }
        totals["revenue"] += sum(spent)  # type: ignore[assignment]
        totals["n_orders"] += rows[segment]["n_orders"] or 0
    revenue = float(totals["revenue"])
    for row in rows.values():
        row["customer_share"] = row["n_customers"] / len(segments)
        row["order_share"] = row["n_orders"] / totals["n_orders"]
        known = row["revenue"] is not None and revenue
        row["revenue_share"] = row["revenue"] / revenue if known else None
    return rows


def segment_profiles(
    features: Mapping[Any, Row], segments: Mapping[Any, int]
) -> dict[tuple[int, str, str | None], Row]:
    """What each segment is like beside all, feature by feature; without the rank."""
    columns = {
        name
        for row in features.values()
        for name, value in row.items()
        if isinstance(value, int | float)
    }
    departments = {
        department for row in features.values() for department in row["department_share"] or {}
    }
    every = [(name, None) for name in columns]
    every += [("department_share", department) for department in departments]  # type: ignore[misc]
    rows: dict[tuple[int, str, str | None], Row] = {}
    for name, department in every:
        one = {"name": name, "department": department}
        known = {
            customer: Fraction(value)
            for customer in segments
            if (value := raw(features[customer], one)) is not None
        }
        if not known:
            continue
        mean = Fraction(sum(known.values()), len(known))
        spread = math.sqrt(sum((value - mean) ** 2 for value in known.values()) / len(known))
        total = sum(known.values())
        one_sign = min(known.values()) >= 0 or max(known.values()) <= 0
        for segment in set(segments.values()):
            theirs = [known[customer] for customer in known if segments[customer] == segment]
            if not theirs:  # nothing is known to be like anything
                continue
            own = Fraction(sum(theirs), len(theirs))
            rows[segment, name, department] = {
                "n_values": len(theirs),
                "mean": float(own),
                "median": float(statistics.median(theirs)),
                "population_mean": float(mean),
                "lift": float(own / mean) if mean else None,
                "share": float(sum(theirs) / total) if total and one_sign else None,
                "z_score": float(own - mean) / spread if spread else None,
            }
            if 0 < spread < 1e-12 * abs(mean):  # what differs is the rounding alone
                del rows[segment, name, department]["z_score"]
    return rows


# --- offers --------------------------------------------------------------------------------------


def unit_prices(purchases: Mapping[Any, Sequence[Line]]) -> dict[Any, float | None]:
    """What one of each product costs: by quantities where they are known, else by line."""
    lines: dict[Any, list[Line]] = defaultdict(list)
    for theirs in purchases.values():
        for line in theirs:
            lines[line["product_id"]].append(line)
    prices: dict[Any, float | None] = {}
    for product, sold in lines.items():
        priced = [line for line in sold if line.get("amount") is not None]
        counted = [line for line in priced if (number(line.get("quantity")) or 0) > 0]
        if counted:
            n = sum(number(line["quantity"]) or 0 for line in counted)
            prices[product] = float(sum(number(line["amount"]) or 0 for line in counted) / n)
        else:
            amounts = [number(line["amount"]) or 0 for line in priced]
            prices[product] = float(sum(amounts) / len(amounts)) if amounts else None
    return prices


def offers(
    lines: Sequence[Line], rules: Sequence[Row], category_of: Mapping[Any, Any]
) -> dict[tuple[Any, Any], tuple[str, float]]:
    """The kind and the score of every offer, by customer and product.

    ``rules`` have one consequent each, and less than 21 of them the same antecedents.
    """
    bought: dict[Any, Counter[Any]] = defaultdict(Counter)
    purchases: dict[Any, list[Line]] = defaultdict(list)
    for line in kept_lines(lines):
        if is_purchase(line):
            purchases[line["customer_id"]].append(line)
            bought[line["customer_id"]][line["product_id"]] += 1
    prices = unit_prices(purchases)
    found: dict[tuple[Any, Any], tuple[str, float]] = {}
    for customer, products in bought.items():
        logs: dict[Any, float] = {}
        dearer = set()
        for rule in rules:
            antecedents, (target,) = rule["antecedents"], rule["consequents"]
            if rule["lift"] <= 1 or target in products or not products.keys() >= set(antecedents):
                continue
            support = rule["consequent_support"]
            # of several the rarest one
            n_lines = min(products[one] for one in antecedents)
            logs.setdefault(target, math.log(support / (1 - support)))
            logs[target] += 0.2 * math.log(1 + n_lines) * math.log(rule["lift"])
            (first, *more) = antecedents
            if not more and category_of[first] == category_of[target]:
                price, other = prices.get(first), prices.get(target)
                if price is not None and other is not None and price < other:
                    dearer.add(target)
        for target, odds in logs.items():
            score = 1 / (1 + math.exp(-odds))
            found[customer, target] = ("up-sell" if target in dearer else "cross-sell", score)
    return found
