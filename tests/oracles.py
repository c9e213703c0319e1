"""What the macros promise, in plain Python: written from their headers, without their SQL.

Slow and literal on purpose. ``None`` is NULL; an order line is a mapping, and a column that a shop
does not have is a key that its lines do not have.
"""

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import chain, combinations, pairwise
from typing import Any

Line = Mapping[str, Any]
Row = dict[str, Any]
Itemset = frozenset[Any]

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PARTS_OF_DAY = ("night", "morning", "afternoon", "evening")


# --- order lines ---------------------------------------------------------------------------------


def number(value: Any) -> Decimal | None:
    """A quantity or an amount, exactly."""
    return None if value is None else Decimal(str(value))


def kind(line: Line) -> str:
    """Whether a line is a purchase, a return or empty: as its shop says, else by its signs."""
    if line.get("is_return") is not None:
        return "return" if line["is_return"] else "purchase"
    quantity, amount = number(line.get("quantity")), number(line.get("amount"))
    if (quantity is not None and quantity < 0) or (amount is not None and amount < 0):
        return "return"
    if quantity == 0 and not amount:
        return "empty"
    return "purchase"


def is_purchase(line: Line) -> bool:
    """Whether something was bought."""
    return kind(line) == "purchase"


def spent(line: Line) -> Decimal | None:
    """What a line adds to the spend: a return lowers it, whatever its sign."""
    amount = number(line.get("amount"))
    return -abs(amount) if amount is not None and kind(line) == "return" else amount


def kept_lines(lines: Iterable[Line], as_of: datetime | None = None) -> list[Line]:
    """The lines that count; returns are among them."""
    ids = ("customer_id", "order_id", "product_id")
    kept = [
        line
        for line in lines
        if all(line.get(name) is not None for name in ids) and kind(line) != "empty"
    ]
    if as_of is None:
        return kept
    return [
        line for line in kept if line.get("ordered_at") is not None and line["ordered_at"] < as_of
    ]


# --- orders --------------------------------------------------------------------------------------


@dataclass
class Order:
    """The kept lines of one order of one customer."""

    customer_id: Any
    order_id: Any
    lines: list[Line] = field(default_factory=list)

    @property
    def ordered_at(self) -> datetime | None:
        """When its first purchase line was; of an order of returns, its first line."""
        return _first(self.purchases) or _first(self.lines)

    @property
    def purchases(self) -> list[Line]:
        """Its purchase lines."""
        return [line for line in self.lines if is_purchase(line)]

    @property
    def amount(self) -> Decimal | None:
        """Its net amount; unknown where no line has one."""
        return _total(spent(line) for line in self.lines)

    def shop_says(self, column: str) -> Any:
        """``order_number`` or ``days_since_prior_order``, the same on all its lines."""
        return next((line[column] for line in self.lines if line.get(column) is not None), None)


def _first(lines: Iterable[Line]) -> datetime | None:
    times = [line["ordered_at"] for line in lines if line.get("ordered_at") is not None]
    return min(times, default=None)


def _total(amounts: Iterable[Any]) -> Decimal | None:
    known = [amount for amount in map(number, amounts) if amount is not None]
    return sum(known, Decimal(0)) if known else None


def orders(lines: Iterable[Line], as_of: datetime | None = None) -> list[Order]:
    """One order per customer and order id, those of returns alone among them."""
    by_key: dict[tuple[Any, Any], Order] = {}
    for line in kept_lines(lines, as_of):
        key = (line["customer_id"], line["order_id"])
        by_key.setdefault(key, Order(*key)).lines.append(line)
    return list(by_key.values())


def buying_orders(lines: Iterable[Line], as_of: datetime | None = None) -> dict[Any, list[Order]]:
    """The orders with a purchase of every customer who has one."""
    by_customer: dict[Any, list[Order]] = defaultdict(list)
    for order in orders(lines, as_of):
        if order.purchases:
            by_customer[order.customer_id].append(order)
    return dict(by_customer)


def purchases(lines: Iterable[Line], as_of: datetime | None = None) -> dict[Any, list[Line]]:
    """The purchase lines of every customer who has one."""
    by_customer: dict[Any, list[Line]] = defaultdict(list)
    for line in kept_lines(lines, as_of):
        if is_purchase(line):
            by_customer[line["customer_id"]].append(line)
    return dict(by_customer)


def reference_day(lines: Iterable[Line], as_of: datetime | None = None) -> date | None:
    """The day of ``as_of``, by default the one after the last order's."""
    if as_of is not None:
        return as_of.date()
    times = [order.ordered_at for order in orders(lines) if order.ordered_at is not None]
    return max(times).date() + timedelta(days=1) if times else None


# --- features ------------------------------------------------------------------------------------


def rfm(lines: Sequence[Line], as_of: datetime | None = None, n_bins: int = 5) -> dict[Any, Row]:
    """Recency, frequency, monetary value and their scores, by customer."""
    today = reference_day(lines, as_of)
    amounts: dict[Any, list[Any]] = defaultdict(list)
    for line in kept_lines(lines, as_of):
        amounts[line["customer_id"]].append(spent(line))
    recency: dict[Any, Any] = {}
    frequency: dict[Any, Any] = {}
    monetary: dict[Any, Any] = {}
    for customer, theirs in buying_orders(lines, as_of).items():
        times = [order.ordered_at for order in theirs if order.ordered_at is not None]
        recency[customer] = (today - max(times).date()).days if times and today else None
        frequency[customer] = len(theirs)
        monetary[customer] = _total(amounts[customer])
    r_scores = _scores({c: None if v is None else -v for c, v in recency.items()}, n_bins)
    f_scores = _scores(frequency, n_bins)
    m_scores = _scores(monetary, n_bins)
    return {
        customer: {
            "recency_days": recency[customer],
            "frequency": frequency[customer],
            "monetary": None if monetary[customer] is None else float(monetary[customer]),
            "r_score": r_scores[customer],
            "f_score": f_scores[customer],
            "m_score": m_scores[customer],
            "rfm_cell": _cell(r_scores[customer], f_scores[customer], m_scores[customer]),
            "rfm_label": label(r_scores[customer], f_scores[customer], n_bins),
        }
        for customer in frequency
    }


def _scores(values: Mapping[Any, Any], n_bins: int) -> dict[Any, int | None]:
    """1 + floor(n_bins * customers with a lower value / customers)."""
    known = [value for value in values.values() if value is not None]
    return {
        customer: None
        if value is None
        else 1 + n_bins * sum(other < value for other in known) // len(values)
        for customer, value in values.items()
    }


def _cell(*scores: int | None) -> str | None:
    return None if None in scores else "".join(map(str, scores))


def label(r_score: int | None, f_score: int | None, n_bins: int = 5) -> str | None:
    """The name of a customer's field on the 5 x 5 grid of recency and frequency."""
    if r_score is None or f_score is None:
        return None
    r, f = (-(-5 * score // n_bins) for score in (r_score, f_score))
    fields = (
        (r <= 2 and f <= 2, "hibernating"),
        (r <= 2 and f <= 4, "at risk"),
        (r <= 2, "cannot lose them"),
        (r == 3 and f <= 2, "about to sleep"),
        (r == 3 and f == 3, "need attention"),
        (r <= 4 and f >= 4, "loyal"),
        (r == 5 and f >= 4, "champions"),
        (f >= 2, "potential loyalists"),
        (r == 4, "promising"),
        (True, "new"),
    )
    return next(name for holds, name in fields if holds)


def purchase_frequency(lines: Sequence[Line], as_of: datetime | None = None) -> dict[Any, Row]:
    """How often and how much at a time, by customer."""
    today = reference_day(lines, as_of)
    counted = _counted_days(lines, as_of)
    rows = {}
    for customer, theirs in buying_orders(lines, as_of).items():
        times = sorted(order.ordered_at for order in theirs if order.ordered_at is not None)
        if times:
            days = [time.toordinal() for time in times]
            tenure = (today - times[0].date()).days if today else None
        else:
            days = sorted(
                counted[order.customer_id, order.order_id]
                for order in theirs
                if (order.customer_id, order.order_id) in counted
            )
            tenure = days[-1] - days[0] if days else None
        gaps = [after - before for before, after in pairwise(days)]
        products = Counter(line["product_id"] for order in theirs for line in order.purchases)
        rows[customer] = {
            "n_orders": len(theirs),
            "first_order": times[0] if times else None,
            "last_order": times[-1] if times else None,
            "tenure_days": None if tenure is None else float(tenure),
            "mean_gap_days": statistics.fmean(gaps) if gaps else None,
            "median_gap_days": float(statistics.median(gaps)) if gaps else None,
            "stddev_gap_days": statistics.stdev(gaps) if len(gaps) > 1 else None,
            "orders_per_30d": None if tenure is None else len(theirs) * 30 / max(tenure, 30),
            "mean_basket_size": products.total() / len(theirs),
            "reorder_share": 1 - len(products) / products.total(),
        }
    return rows


def _counted_days(lines: Sequence[Line], as_of: datetime | None) -> dict[tuple[Any, Any], int]:
    """The day of each order since the customer's first, by the shop's own count."""
    by_customer: dict[Any, list[Order]] = defaultdict(list)
    for order in orders(lines, as_of):
        if order.shop_says("order_number") is not None:
            by_customer[order.customer_id].append(order)
    every_order = [order for theirs in by_customer.values() for order in theirs]
    if all(order.shop_says("days_since_prior_order") is None for order in every_order):
        return {}
    days = {}
    for customer, theirs in by_customer.items():
        day = 0
        for order in sorted(theirs, key=lambda order: order.shop_says("order_number")):
            day += order.shop_says("days_since_prior_order") or 0
            days[customer, order.order_id] = day
    return days


def product_diversity(lines: Sequence[Line], as_of: datetime | None = None) -> dict[Any, Row]:
    """How varied the purchases are, by customer."""
    rows = {}
    for customer, theirs in purchases(lines, as_of).items():
        products = Counter(line["product_id"] for line in theirs)
        departments = {line.get("department") for line in theirs} - {None}
        shares = [Fraction(count, products.total()) for count in products.values()]
        entropy = math.fsum(-float(share) * math.log(share) for share in shares)
        rows[customer] = {
            "n_products": len(products),
            "n_departments": len(departments) or None,
            "entropy": entropy,
            "effective_n": math.exp(entropy),
            "hhi": float(sum(share**2 for share in shares)),
            "repeat_share": sum(count > 1 for count in products.values()) / len(products),
        }
    return rows


def department_preferences(
    lines: Sequence[Line], as_of: datetime | None = None
) -> dict[tuple[Any, str], Row]:
    """What share of the purchases each department has, by customer and department."""
    counts = {
        customer: Counter(
            line["department"] for line in theirs if line.get("department") is not None
        )
        for customer, theirs in purchases(lines, as_of).items()
    }
    shop = sum(counts.values(), Counter())
    rows = {}
    for customer, theirs in counts.items():
        ranked = sorted(theirs, key=lambda department: (-theirs[department], department))
        for rank, department in enumerate(ranked, start=1):
            share = Fraction(theirs[department], theirs.total())
            rows[customer, department] = {
                "n_items": theirs[department],
                "item_share": float(share),
                "preference_index": float(share / Fraction(shop[department], shop.total())),
                "department_rank": rank,
            }
    return rows


def timing(lines: Sequence[Line], as_of: datetime | None = None) -> dict[Any, Row]:
    """When they buy, as shares of their dated orders, by customer."""
    has_hours = any(
        order.ordered_at is not None and order.ordered_at != midnight(order.ordered_at)
        for order in orders(lines, as_of)
    )
    names = [f"{day}_share" for day in (*DAYS, "weekend", *PARTS_OF_DAY)]
    rows = {}
    for customer, theirs in buying_orders(lines, as_of).items():
        times = [order.ordered_at for order in theirs if order.ordered_at is not None]
        if not times:
            rows[customer] = dict.fromkeys(names)
            continue
        weekdays = Counter(time.weekday() for time in times)
        parts = Counter(time.hour // 6 for time in times)
        counts = [weekdays[day] for day in range(7)] + [weekdays[5] + weekdays[6]]
        counts += [parts[part] for part in range(4)]
        rows[customer] = {
            name: count / len(times) for name, count in zip(names, counts, strict=True)
        }
        if not has_hours:
            rows[customer] |= {f"{part}_share": None for part in PARTS_OF_DAY}
    return rows


def midnight(moment: datetime) -> datetime:
    """The midnight before."""
    return datetime.combine(moment.date(), datetime.min.time())


def customer_features(lines: Sequence[Line], as_of: datetime | None = None) -> dict[Any, Row]:
    """Every feature, by customer."""
    values, rhythms = rfm(lines, as_of), purchase_frequency(lines, as_of)
    varieties, times = product_diversity(lines, as_of), timing(lines, as_of)
    shares: dict[Any, dict[str, float]] = defaultdict(dict)
    preferences = department_preferences(lines, as_of)
    for (customer, department), row in sorted(
        preferences.items(), key=lambda item: item[1]["department_rank"]
    ):
        shares[customer][department] = row["item_share"]
    rows = {}
    for customer, value in values.items():
        spend, n_orders = value["monetary"], value["frequency"]
        rows[customer] = (
            value
            | rhythms[customer]
            | {"mean_order_value": None if spend is None else spend / n_orders}
            | varieties[customer]
            | times[customer]
            | {"department_share": shares.get(customer)}
        )
    return rows


# --- baskets -------------------------------------------------------------------------------------


def baskets(lines: Iterable[Line], item: str = "product_id") -> dict[Any, set[Any]]:
    """The items of every order that has one: no returns, nothing empty, no NULLs."""
    found: dict[Any, set[Any]] = defaultdict(set)
    for line in lines:
        if line.get("order_id") is not None and line.get(item) is not None and is_purchase(line):
            found[line["order_id"]].add(line[item])
    return dict(found)


def min_count_of(min_support: float | Decimal, n_orders: int) -> int:
    """The least number of orders that is this share of them."""
    return max(1, math.ceil(float(min_support) * n_orders - 1e-9))


def frequent_itemsets(
    orders_items: Mapping[Any, set[Any]], min_count: int, max_length: int | None = None
) -> dict[Itemset, int]:
    """The orders of every set of items that has enough of them: every subset of every basket."""
    counts: Counter[Itemset] = Counter()
    for items in orders_items.values():
        lengths = range(1, min(len(items), max_length or len(items)) + 1)
        subsets = chain.from_iterable(combinations(items, length) for length in lengths)
        counts.update(map(frozenset, subsets))
    return {items: count for items, count in counts.items() if count >= min_count}


def association_rules(
    counts: Mapping[Itemset, int],
    n_orders: int,
    min_confidence: str = "0",
    max_antecedents: int | None = None,
    max_consequents: int | None = None,
) -> dict[tuple[Itemset, Itemset], Row]:
    """The measures of every rule between the parts of the itemsets, from exact shares."""
    rules = {}
    for items, count in counts.items():
        for length in range(1, len(items)):
            if length > (max_antecedents or length):
                continue
            if len(items) - length > (max_consequents or len(items)):
                continue
            for chosen in combinations(items, length):
                antecedents = frozenset(chosen)
                consequents = items - antecedents
                if Fraction(count, counts[antecedents]) >= Fraction(min_confidence):
                    rules[antecedents, consequents] = measures(
                        count, counts[antecedents], counts[consequents], n_orders
                    )
    return rules


def measures(n_both: int, n_antecedent: int, n_consequent: int, n_orders: int) -> Row:
    """Every measure of a rule A -> C from the orders of A and C, of A, of C, and of all."""
    both = Fraction(n_both, n_orders)
    a, c = Fraction(n_antecedent, n_orders), Fraction(n_consequent, n_orders)
    confidence = both / a
    leverage = both - a * c
    # Zhang: (P(C|A) - P(C|not A)) / max of the two, over a common denominator
    largest = max(both * (1 - a), a * (c - both))
    return {
        "antecedent_support": float(a),
        "consequent_support": float(c),
        "support": float(both),
        "support_count": n_both,
        "confidence": float(confidence),
        "lift": float(confidence / c),
        "leverage": float(leverage),
        "conviction": math.inf if confidence == 1 else float((1 - c) / (1 - confidence)),
        "zhangs_metric": float(leverage / largest) if largest else None,
        "jaccard": float(both / (a + c - both)),
        "cosine": float(both) / math.sqrt(a * c),
        "kulczynski": float((both / a + both / c) / 2),
    }
