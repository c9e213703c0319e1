-- frequent_itemsets(lines, min_support, min_count, max_length, item, ...): what is
--      bought together, exactly counted.
-- in:  lines as baskets takes them; min_support (0, 1] (share of orders) or min_count
--      >= 1 (orders); max_length >= 1 or NULL (no limit); item: the name of the column
--      to mine; max_pairs, max_candidates >= 1: the most pairs in all orders, and sets
--      of one length, to count; on_limit: beyond max_candidates an 'error', or
--      'truncate': the shorter sets alone
-- out: itemset_id (1 is the shortest, then most frequent), items (sorted list of item
--      ids), item_names (NULL where unknown), length, support (0 to 1), support_count
--      (orders), is_closed (no longer set has the same orders), is_maximal (no longer
--      set is frequent; both NULL for sets whose supersets were not counted),
--      is_truncated (the same in every row: longer sets were left uncounted)
create or replace macro custseg.frequent_itemsets(
    lines, min_support := 0.01, min_count := null, max_length := 3,
    item := 'product_id', max_pairs := 10_000_000_000, max_candidates := 100_000_000,
    on_limit := 'error'
) as table
with custseg_purchased_items as not materialized (
    from custseg.purchased_items(lines, item := item)
),
custseg_item_names as materialized (
    from custseg.item_names(lines, item := item)
),
custseg_item_lines as materialized (
    from custseg.item_lines(lines, item := item)
),
custseg_limits as materialized (
    from custseg.mining_limits(
        'custseg_purchased_items', min_support := min_support, min_count := min_count,
        max_length := max_length
    )
),
custseg_items as materialized (
    from custseg.mined_items('custseg_purchased_items', 'custseg_limits')
),
custseg_rows as materialized (
    from custseg.mined_rows(
        'custseg_purchased_items', 'custseg_limits', 'custseg_items'
    )
),
custseg_plan as materialized (
    from custseg.itemset_plan_of_rows(
        'custseg_rows', 'custseg_limits', 'custseg_item_lines', max_pairs := max_pairs
    )
),
custseg_pairs as materialized (
    from custseg.pair_counts('custseg_rows', 'custseg_plan')
),
custseg_sets as materialized (
    from custseg.itemsets_of_pairs(
        'custseg_plan', 'custseg_items', 'custseg_rows', 'custseg_pairs',
        max_candidates := max_candidates, on_limit := on_limit
    )
)
from custseg.named_itemsets(
    'custseg_sets', 'custseg_plan', 'custseg_items', 'custseg_item_names'
);
