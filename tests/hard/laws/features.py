"""Laws of features: of parts and strangers, of later days, of ranks."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

from tests.hard.laws.comparing import (
    NEVER_BOUGHT,
    RELATIVE,
    assert_close,
    assert_same,
    law,
    own,
    without,
)
from tests.hard.random_shops import LATE, Row, Shop


@law
def a_stranger_changes_no_feature_of_anybody_else(shop: Shop) -> None:
    table = shop.write("more", "from lines")
    for order in range(shop.rng.randint(1, 4)):
        for product in range(shop.rng.randint(1, 3)):
            ids = {name: shop.fresh(f"{name}_id", i) for name, i in
                   (("order", order), ("product", product))}  # fmt: skip
            shop.add(table, order_id=ids["order"], product_id=ids["product"])
    before, after = shop.features(), shop.features(table)
    assert len(after) == len(before) + 1
    kept = {customer: row for customer, row in after.items() if customer in before}
    # the stranger came at midnight, so that hours are known as before
    hours = [name for name in RELATIVE if name.endswith("_share")]
    relative = [name for name in RELATIVE if name not in hours]
    assert_same(without(kept, relative), without(before, relative))


@law
def the_features_of_parts_of_the_customers_are_those_of_the_whole(shop: Shop) -> None:
    together: dict[Any, Row] = {}
    for part in range(2):
        rest = f"hash(customer_id::varchar, {shop.seed}) % 2 = {part}"
        together |= shop.features(shop.write("part", f"from lines where {rest}"))
    assert_same(own(together), own(shop.features()))


@law
def counts_and_sums_of_parts_of_the_lines_add_up_to_those_of_the_whole(shop: Shop) -> None:
    counted = {
        "custseg.orders": (("customer_id", "order_id"), ("n_items", "amount")),
        "custseg.product_counts": (("customer_id", "product_id"), ("n_lines",)),
        "custseg.department_counts": (("customer_id", "department"), ("n_items",)),
        "custseg.line_report": (("reason",), ("n_lines", "amount")),
    }

    def of(macro: str, table: str) -> dict[Any, Counter[str]]:
        keys, sums = counted[macro]
        added: dict[Any, Counter[str]] = defaultdict(Counter)
        for row in shop.rows(f"from {macro}('{table}')"):
            # whether the customer has a purchase is seen in the whole alone
            key = tuple(str(row[name]).removesuffix(NEVER_BOUGHT) for name in keys)
            added[key].update({name: row[name] for name in sums if row[name] is not None})
        return added

    # by time where there is one, so that some orders are in both
    place = "ordered_at::timestamp < timestamp '2024-01-20'" if shop.has_dates else "false"
    place = f"coalesce({place}, hash(order_id::varchar) % 2 = 0)"
    for macro in counted:
        together: dict[Any, Counter[str]] = defaultdict(Counter)
        for part in (place, f"not {place}"):
            for key, sums in of(macro, shop.write("part", f"from lines where {part}")).items():
                together[key].update(sums)
        assert_same(dict(together), dict(of(macro, "lines")), macro)


@law
def the_orders_of_a_customer_are_what_its_features_count(shop: Shop) -> None:
    spent: dict[Any, Any] = defaultdict(list)
    bought: dict[Any, list[int]] = defaultdict(list)
    for (customer, _), row in shop.by_key(
        f"from custseg.orders('lines', as_of := {shop.as_of})", "customer_id", "order_id"
    ).items():
        bought[customer].append(row["n_items"])
        if row["amount"] is not None:
            spent[customer].append(row["amount"])
    features = shop.features()
    assert set(features) == {customer for customer in bought if any(bought[customer])}
    for customer, row in features.items():
        n_orders = sum(n > 0 for n in bought[customer])
        amount = float(sum(spent[customer], Decimal(0))) if spent[customer] else None
        assert (row["n_orders"], row["monetary"]) == (n_orders, amount), customer
        assert row["mean_basket_size"] == sum(bought[customer]) / n_orders, customer
        if row["department_share"]:
            assert math.isclose(sum(row["department_share"].values()), 1, rel_tol=1e-12)
        days = [value for name, value in row.items() if name in WEEKDAYS and value is not None]
        assert not days or math.isclose(sum(days), 1, rel_tol=1e-12), customer


WEEKDAYS = {
    f"{day}day_share" for day in ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun")
}  # fmt: skip


@law
def a_later_as_of_is_so_many_days_more(shop: Shop) -> None:
    if not shop.has_dates:
        return
    days = shop.rng.randint(1, 500)
    later = shop.features(as_of=f"{LATE} + interval {days} day")
    for customer, row in shop.features().items():
        moved = dict(row)
        for name in ("recency_days", "tenure_days"):
            moved[name] += days
        moved["orders_per_30d"] = row["n_orders"] * 30 / max(moved["tenure_days"], 30)
        assert_same(later[customer], moved, f"{customer}")


@law
def weeks_later_all_is_the_same(shop: Shop) -> None:
    if not shop.has_dates:
        return
    weeks = f"interval {7 * shop.rng.randint(1, 200)} day"
    table = shop.write(
        "moved", f"select * replace (ordered_at::timestamp + {weeks} as ordered_at) from lines"
    )
    moved = shop.features(table, as_of=f"{shop.as_of} + {weeks}")
    dates = ("first_order", "last_order")
    assert_same(without(moved, dates), without(shop.features(), dates))


@law
def scores_rise_with_what_they_score(shop: Shop) -> None:
    n_bins = shop.rng.randint(2, 9)
    rows = list(shop.rows(
        f"from custseg.rfm('lines', as_of := {shop.as_of}, n_bins := {n_bins})"
    ))  # fmt: skip
    for value, score, sign in (
        ("recency_days", "r_score", -1), ("frequency", "f_score", 1), ("monetary", "m_score", 1),
    ):  # fmt: skip
        pairs = sorted({
            (sign * row[value], row[score]) for row in rows if row[value] is not None
        })  # fmt: skip
        assert len(pairs) == len({key for key, _ in pairs}), f"equal {value}, unequal {score}"
        scores = [one for _, one in pairs]
        assert scores == sorted(scores), f"{score} falls"
        assert all(1 <= one <= n_bins for one in scores)
        assert all((row[score] is None) == (row[value] is None) for row in rows)


@law
def who_spends_more_scores_no_less(shop: Shop) -> None:
    before = shop.features()
    customer = shop.rng.choice(sorted(before, key=repr))
    table = shop.write("more", "from lines")
    text = str(customer).replace("'", "''")
    shop.add(table, customer_id=f"'{text}'", amount="1000000", ordered_at="timestamp '2025-12-31'")
    after = shop.features(table)
    for score in ("r_score", "f_score", "m_score"):
        if before[customer][score] is not None:
            assert after[customer][score] >= before[customer][score], f"{customer} {score}"
        for other in before:
            if other != customer and before[other][score] is not None:
                assert after[other][score] <= before[other][score], f"{other} {score}"


@law
def amounts_of_twice_the_size_are_twice_the_spend_and_the_same_segments(shop: Shop) -> None:
    if "amount" not in shop.types:
        return
    factor = shop.rng.choice([2, 4, 3, 7])
    table = shop.write(
        "scaled",
        f"select * replace (({factor} * amount::decimal(18, 4))::decimal(18, 4) as amount) "
        "from lines",
    )
    scaled = shop.features(table)
    money = ("monetary", "mean_order_value")
    assert_same(without(scaled, money), without(shop.features(), money))
    for customer, row in shop.features().items():
        for name in money:
            expected = None if row[name] is None else factor * row[name]
            assert_close(scaled[customer][name], expected, f"{customer} {name}")
    if factor in (2, 4):  # no bit is lost
        with shop.made_of(table) as made:
            for name in ("segments", "itemsets", "rules", "segment_rules", "sequences"):
                assert_same(made.get(name), shop.made.get(name), name)
