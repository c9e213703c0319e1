"""Laws of itemsets, rules and offers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.hard.laws.comparing import (
    assert_close,
    assert_same,
    law,
    without,
)
from tests.hard.random_shops import Row, Shop


def itemsets(shop: Shop, options: str, lines: str = "lines") -> dict[Any, Row]:
    """Frequent itemsets by their items."""
    return shop.by_key(f"from custseg.frequent_itemsets('{lines}', {options})", "items")


def counts(found: Mapping[Any, Row]) -> dict[Any, int]:
    return {items: row["support_count"] for items, row in found.items()}


@law
def every_part_of_a_frequent_set_is_frequent_and_no_rarer(shop: Shop) -> None:
    found = counts(itemsets(shop, f"min_count := {shop.min_count}, max_length := 4"))
    for items, count in found.items():
        for item in items if len(items) > 1 else ():
            assert found.get(items - {item}, -1) >= count, f"{set(items)} without {item}"
        assert count >= shop.min_count


@law
def a_higher_support_or_a_shorter_length_leaves_exactly_what_reaches_it(shop: Shop) -> None:
    every = counts(itemsets(shop, "min_count := 1, max_length := 3"))
    most = max(every.values(), default=1)
    least, longest = shop.rng.randint(1, most), shop.rng.randint(1, 3)
    found = itemsets(shop, f"min_count := {least}, max_length := {longest}")
    assert_same(counts(found), {
        items: count for items, count in every.items() if count >= least and len(items) <= longest
    })  # fmt: skip
    n_orders = max((row["n_orders"] for row in found.values()), default=0)
    if n_orders:
        share = found and least / n_orders
        by_share = itemsets(shop, f"min_support := {share!r}, max_length := {longest}")
        assert_same(by_share, found, f"min_support {share!r}")


@law
def counts_of_itemsets_of_parts_of_the_orders_add_up(shop: Shop) -> None:
    together: Counter[Any] = Counter()
    for part in range(3):
        orders = f"hash(order_id::varchar, {shop.seed}) % 3 = {part}"
        table = shop.write("part", f"from lines where {orders}")
        together.update(counts(itemsets(shop, "min_count := 1, max_length := 2", table)))
    assert_same(dict(together), counts(itemsets(shop, "min_count := 1, max_length := 2")))


@law
def every_order_again_keeps_shares_and_doubles_counts(shop: Shop) -> None:
    shop.write(
        "doubled",
        "select * replace ('a' || order_id::varchar as order_id) from lines union all "
        "select * replace ('b' || order_id::varchar as order_id) from lines",
    )
    twice = 2 * shop.min_count
    shop.write("double_sets", f"from custseg.frequent_itemsets('doubled', min_count := {twice})")
    once, both = (shop.by_key(f"from {name}", "items") for name in ("itemsets", "double_sets"))
    assert set(both) == set(once)
    counted = ("support_count", "n_orders")
    assert_same(without(both, (*counted, "itemset_id")), without(once, (*counted, "itemset_id")))
    for items, row in once.items():
        assert [both[items][name] for name in counted] == [2 * row[name] for name in counted]
    before, after = (rules_of(shop, name) for name in ("itemsets", "double_sets"))
    assert set(after) == set(before)
    for sides, row in before.items():
        for name in OF_SHARES:
            assert after[sides][name] == row[name], f"{sides} {name}"
        assert after[sides]["p_value"] <= row["p_value"] or row["lift"] < 1, sides


OF_SHARES = (
    "antecedent_support", "consequent_support", "support", "confidence", "lift", "jaccard",
    "kulczynski", "all_confidence", "imbalance", "representativity", "added_value", "is_redundant",
    "n_tests",
)  # fmt: skip


def rules_of(shop: Shop, itemset_table: str, options: str = "") -> dict[Any, Row]:
    return shop.by_key(
        f"from custseg.association_rules('{itemset_table}', min_confidence := 0, "
        f"max_consequents := null{options})",
        "antecedents", "consequents",
    )  # fmt: skip


@law
def a_rule_the_other_way_round_has_the_same_association(shop: Shop) -> None:
    rules = rules_of(shop, "itemsets")
    for (left, right), row in rules.items():
        back = rules[right, left]
        for name in ASSOCIATIONS:
            assert_close(back[name], row[name], f"{set(left)} => {set(right)} {name}")
        assert back["antecedent_support"] == row["consequent_support"]
        confidence = back["support"] / back["antecedent_support"]
        assert_close(back["confidence"], confidence, "confidence")


ASSOCIATIONS = (
    "support", "support_count", "lift", "leverage", "jaccard", "cosine", "kulczynski",
    "all_confidence", "imbalance", "phi", "chi_square", "yules_q", "odds_ratio", "hyper_lift",
    "p_value", "n_tests", "p_value_bonferroni", "p_value_bh",
)  # fmt: skip


@law
def measures_are_in_their_ranges_and_agree_on_the_direction(shop: Shop) -> None:
    for sides, row in rules_of(shop, "itemsets").items():
        for name in ("support", "confidence", "jaccard", "cosine", "kulczynski", "all_confidence",
                     "imbalance", "p_value", "p_value_bh", "p_value_bonferroni"):  # fmt: skip
            assert 0 <= row[name] <= 1 + 1e-12, f"{sides} {name} {row[name]}"
        for name in ("zhangs_metric", "certainty", "phi", "yules_q"):
            assert row[name] is None or abs(row[name]) <= 1 + 1e-12, f"{sides} {name} {row[name]}"
        assert row["confidence_low"] <= row["confidence"] <= row["confidence_high"], sides
        rounded = 1 - 1e-12
        assert row["p_value"] * rounded <= row["p_value_bh"], sides
        assert row["p_value_bh"] * rounded <= row["p_value_bonferroni"], sides
        if abs(row["lift"] - 1) > 1e-9:
            up = row["lift"] > 1
            for name in ("leverage", "added_value", "zhangs_metric", "certainty", "phi"):
                value = row[name]
                assert value is None or (value > 0) == up, f"{sides} {name} {value}"
            assert (row["conviction"] > 1) == up, f"{sides} conviction {row['conviction']}"


@law
def rules_of_one_item_are_those_of_all_that_hold_it(shop: Shop) -> None:
    singles = [row["items"] for row in shop.rows("from itemsets") if row["length"] == 1]
    if not singles:
        return
    (item,) = shop.rng.choice(singles)
    text, kind = str(item).replace("'", "''"), shop.types["product_id"]
    options = f"require_consequents := ['{text}'::{kind}]"
    direct = shop.by_key(
        f"from custseg.mine_rules('lines', min_count := {shop.min_count}, min_confidence := 0, "
        f"{options})", "antecedents", "consequents",
    )  # fmt: skip
    shop.write(
        "wanted", f"from custseg.association_rules('itemsets', min_confidence := 0, {options})"
    )
    indirect = shop.by_key("from wanted", "antecedents", "consequents")
    # straight from the lines, an item of enough lines in too few orders is a hypothesis too
    assert all(row["n_tests"] >= indirect[sides]["n_tests"] for sides, row in direct.items())
    adjusted = ("n_tests", "p_value_bonferroni", "p_value_bh") if shop.has_repeated_items else ()
    assert_same(without(direct, adjusted), without(indirect, adjusted))
    every = rules_of(shop, "itemsets")
    chosen = {sides for sides in every if sides[1] == {item}}
    assert set(direct) == chosen
    for sides, row in direct.items():
        for name in ("support_count", "lift", "p_value", "improvement", "improvement_p_value"):
            assert row[name] == every[sides][name], f"{sides} {name}"


@law
def the_rules_of_a_segment_of_everybody_are_the_rules_of_the_shop(shop: Shop) -> None:
    # an order without a customer is nobody's
    known = shop.write("known", "from lines where customer_id is not null and order_id is not null")
    shop.write("everybody", "select distinct customer_id, 3 as segment from known")
    shop.write("sets", f"from custseg.frequent_itemsets('{known}', min_count := "
               f"{shop.min_count}, max_length := 2)")  # fmt: skip
    whole = shop.by_key(
        "from custseg.association_rules('sets', min_confidence := 0)", "antecedents", "consequents"
    )
    found = shop.by_key(
        f"from custseg.segment_rules('{known}', 'everybody', min_count := {shop.min_count}, "
        "min_confidence := 0)", "antecedents", "consequents",
    )  # fmt: skip
    assert set(found) == set(whole)
    for sides, row in found.items():
        assert row["segment"] == 3
        assert row["rest_orders"] == 0
        assert row["contrast_p_value"] is None
        for name in ("antecedent_support", "consequent_support", "support", "support_count",
                     "confidence", "lift", "p_value", "n_tests", "p_value_bh"):  # fmt: skip
            assert_close(row[name], whole[sides][name], f"{sides} {name}")


@law
def the_rules_of_a_segment_are_those_of_a_shop_of_its_customers(shop: Shop) -> None:
    whole = shop.by_key("from segment_rules", "segment", "antecedents", "consequents")
    for segment in range(shop.k):
        part = shop.write(
            "part", "select lines.* from lines inner join segments using (customer_id) "
            f"where segment = {segment}"
        )  # fmt: skip
        shop.write("its", f"from custseg.frequent_itemsets('{part}', min_count := "
                   f"{shop.min_count}, max_length := 2)")  # fmt: skip
        own_rules = shop.by_key("from custseg.association_rules('its')", "antecedents",
                                "consequents")  # fmt: skip
        assert {key[1:] for key in whole if key[0] == segment} == set(own_rules)
        for sides, row in own_rules.items():
            for name in ("support_count", "confidence", "lift", "p_value", "p_value_bh"):
                assert_close(whole[(segment, *sides)][name], row[name], f"{sides} {name}")


@law
def offers_depend_on_the_rules_and_the_own_lines_alone(shop: Shop) -> None:
    table = shop.write("more", "from lines")
    for order in range(2):
        shop.add(table, order_id=shop.fresh("order_id", order))
    offers = (
        f"from custseg.recommendations('{{}}', 'offering_rules', n := {shop.rng.randint(1, 9)})"
    )
    before = shop.rows(offers.format("lines"))
    assert_same(shop.rows(offers.format(table)), before)
    bought = {
        (row["customer_id"], row["product_id"])
        for row in shop.rows("select distinct customer_id, product_id from lines")
    }
    purchased = {
        (row["customer_id"], row["item_id"])
        for row in shop.rows("from custseg.customer_purchases('lines')")
    }
    offered = {(row["customer_id"], row["item_id"]) for row in before}
    assert purchased <= bought
    assert not offered & purchased
