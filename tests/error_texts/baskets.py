"""What is wrong with mining: itemsets, rules, sequences, offers."""

import pyarrow as pa

import custseg_duck
from tests.error_texts.calls import Refused

MEASURES = (
    "support, confidence, confidence_low, lift, leverage, conviction, zhangs_metric, jaccard, "
    "cosine, kulczynski, all_confidence, added_value, certainty, imbalance, phi, chi_square, "
    "yules_q, odds_ratio, hyper_lift, improvement, p_value, p_value_bonferroni, p_value_bh"
)


def baskets(condition: str = "true") -> str:
    """40 orders of up to 8 items, as the table baskets."""
    return (
        "create temp table baskets as "
        "select 1 as customer_id, order_number as order_id, item as product_id "
        f"from range(40) as orders (order_number), range(8) as items (item) where {condition}"
    )


ITEMSETS = [
    Refused(f"from custseg.frequent_itemsets('order_lines', {options})", text)
    for options, text in (
        ("on_limit := 'stop'", "on_limit must be 'error' or 'truncate', got stop [option]"),
        ("max_candidates := 0", "max_candidates must be at least 1, got 0 [option]"),
        (
            "min_count := 2, max_candidates := 5",
            "max_candidates must be at least 66, the number of sets of 2 items to count. Raise it "
            "or min_support, or take max_length := 1 [limit]",
        ),
        ("max_length := 0", "max_length must be at least 1 or NULL, got 0 [option]"),
        (
            "min_support := 0.5, min_count := 3",
            "give min_support or min_count, not both, got 0.5 and 3 [option]",
        ),
        ("min_support := 2", "min_support must be in (0, 1], got 2 [option]"),
        ("min_count := 0", "min_count must be at least 1, got 0 [option]"),
        (
            "containing := ['tea']",
            "containing must be a list of items that are bought, got tea [option]",
        ),
        (
            "containing := []",
            "containing must be a list of items that are bought, got none [option]",
        ),
    )
] + [
    Refused(
        "from custseg.frequent_itemsets('baskets', max_candidates := 60, max_length := null)",
        "max_candidates must be at least 70, the number of sets of 4 items to count. Raise it or "
        "min_support, or take max_length := 3 [limit]",
        given=baskets(),
    ),
    Refused(
        "from custseg.frequent_itemsets('baskets', max_pairs := 40)",
        "max_pairs must be at least 146, the number of pairs in all orders (the largest holds 8 of "
        "the items). Raise it, or take min_count := 16 or max_length := 1 [limit]",
        given=baskets("order_number % (item + 1) = 0"),
    ),
    Refused(
        "from custseg.frequent_itemsets('baskets', max_pairs := 40)",
        "max_pairs must be at least 1120, the number of pairs in all orders (the largest holds 8 "
        "of the items). Raise it, or take max_length := 1 [limit]",
        given=baskets(),
    ),
    Refused(
        # of a HUGEINT DuckDB hashes one half alone
        "from custseg.frequent_itemsets('baskets')",
        "order ids must have different hashes, got 1 for 2 orders. Number the orders [same-hash]",
        given="create temp table baskets as select 1 as product_id, "
        "order_number::hugeint as order_id from range(-1, 1) as orders (order_number)",
    ),
    Refused(
        lambda con: custseg_duck.frequent_itemsets(pa.table({"order_id": [1]}), con=con),
        "pyarrow.lib.Table must have the columns product_id, got order_id. Columns of other names "
        "can be mapped: columns={'product_id': 'your_column'} (--map product_id=your_column) "
        "[missing-column]",
    ),
    Refused(
        "from custseg.item_levels('order_lines', levels := ['product_id', 'aisle'])",
        "levels must be columns of the lines, got [product_id, aisle] [option]",
    ),
    Refused(
        "from custseg.with_hierarchy('order_lines', 'categories')",
        "hierarchy must have each product_id once, got 2 rows that repeat one or have none "
        "[repeated-rows]",
        given="create temp view categories as select 1 as product_id from range(3)",
    ),
]

RULES = [
    Refused(f"from custseg.association_rules('itemsets', {options})", text)
    for options, text in (
        ("min_confidence := 1.5", "min_confidence must be in [0, 1], got 1.5 [option]"),
        ("max_antecedents := 0", "max_antecedents must be at least 1 or NULL, got 0 [option]"),
        ("max_consequents := 0", "max_consequents must be at least 1 or NULL, got 0 [option]"),
        ("min_antecedents := 0", "min_antecedents must be at least 1 or NULL, got 0 [option]"),
        ("min_consequents := 0", "min_consequents must be at least 1 or NULL, got 0 [option]"),
        ("top := 0", "top must be at least 1 or NULL, got 0 [option]"),
        ("measure := 'luck'", f"measure must be one of {MEASURES}, got luck [option]"),
        (
            "require_antecedents := ['tea']",
            "require_antecedents must hold items of the itemsets, got tea. It may be below the "
            "least support [option]",
        ),
        (
            "require_consequents := ['tea']",
            "require_consequents must hold items of the itemsets, got tea. It may be below the "
            "least support [option]",
        ),
    )
] + [
    Refused(
        "from custseg.association_rules('itemsets_twice')",
        "itemsets must hold each set once, got one more than once among 13. Of custseg.itemsets "
        "take the rows of one run [repeated-rows]",
        given="create temp view itemsets_twice as (from itemsets where length = 1) union all "
        "(from itemsets where length = 1 limit 1)",
    ),
]

OF_SEGMENTS = [
    Refused(f"from custseg.segment_rules('order_lines', {options})", text, given=given)
    for options, text, given in (
        ("'segments', min_orders := 0", "min_orders must be at least 1, got 0 [option]", ""),
        ("'segments', max_length := 4", "max_length must be 2 or 3, got 4 [option]", ""),
        (
            "'segments', min_confidence := -1",
            "min_confidence must be in [0, 1], got -1 [option]",
            "",
        ),
        (
            "'segments_twice'",
            "segments must hold each customer once, got 1 rows too many. Of custseg.segments take "
            "the rows of one run [repeated-rows]",
            "",
        ),
        (
            "'strangers'",
            "segments must hold customers of the lines, got none that bought anything [no-rows]",
            "create temp view strangers as select 999 as customer_id, 1 as segment",
        ),
    )
]

SEQUENCES = [
    Refused(
        "from custseg.sequences('order_lines', within_days := 0)",
        "within_days must be from 1 to 36500, got 0 [option]",
    ),
    Refused(
        "from custseg.sequences('order_lines', min_confidence := 2)",
        "min_confidence must be in [0, 1], got 2 [option]",
    ),
    Refused(
        "from custseg.sequences('timeless')",
        "lines must have ordered_at, got no purchase with a date [missing-column]",
        given="create temp view timeless as select * exclude (ordered_at) from order_lines",
    ),
]

OFFERS = [
    Refused("from custseg.recommend(['1'], n := 0)", "n must be at least 1, got 0 [option]"),
    Refused(
        "from custseg.recommendation_metrics('order_lines', n := 0)",
        "n must be at least 1, got 0 [option]",
    ),
    Refused(
        "from custseg.recommendations('order_lines', 'custseg.rules', kind := 'gift')",
        "kind must be 'cross-sell', 'up-sell' or NULL, got gift [option]",
    ),
]

COUNTS = "counts must be 0 <= n_both <= n_antecedent, n_consequent <= n_orders, got 3, 2, 4 and 9"

STATISTICS = [
    Refused("select custseg.fisher_p_value(9, 2, 4, 3)", f"{COUNTS} [value]"),
    Refused("select custseg.hyper_lift(9, 2, 4, 3)", f"{COUNTS} [value]"),
    Refused(
        "select custseg.normal_tail('nan'::double)", "z must be a number, got nan [not-finite]"
    ),
]

CHANGED_ITEMSETS = [
    Refused(
        "from custseg.association_rules('changed')",
        text,
        given="create temp table changed as from itemsets; "
        f"update changed set {change} where itemset_id = 1",
    )
    for change, text in (
        ("items = []", "itemsets must hold at least one item each, got 1 without any [value]"),
        (
            "representativity = 2",
            "itemsets must have a representativity from 0 to 1, got 2.0 [value]",
        ),
        (
            "support_count = 0",
            "itemsets must have a support_count from 1 to n_orders, got [0, 71, 300] [value]",
        ),
    )
]

REFUSED = [
    *ITEMSETS, *RULES, *OF_SEGMENTS, *SEQUENCES, *OFFERS, *STATISTICS, *CHANGED_ITEMSETS,
]  # fmt: skip
