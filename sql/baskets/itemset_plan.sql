-- itemset_plan(lines, min_support, min_count, max_length, item, ...): what
--      frequent_itemsets is going to do, and how much there is to count; a moment's
--      work.
-- in:  as frequent_itemsets
-- out: one row: method: 'sparse' (pairs are counted order by order; longer sets have
--      bitmaps over the orders of their rarest item) or 'dense' (all sets have bitmaps
--      over all orders), whichever is estimated to be faster; n_orders, min_orders (the
--      least count of a frequent set), longest, n_lines (purchases),
--      n_lines_without_item (in no basket), n_incomplete_orders (that hold such lines
--      beside others), n_items (that may be frequent), n_rows (of them in orders),
--      largest_basket (of them), n_pairs (two of one order, over all orders)
create or replace macro custseg.itemset_plan(
    lines, min_support := 0.01, min_count := null, max_length := 3,
    item := 'product_id', containing := null
) as table
with custseg_purchased_items as not materialized (
    from custseg.purchased_items(lines, item := item)
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
    from custseg.mined_items(
        'custseg_purchased_items', 'custseg_limits', containing := containing
    )
),
custseg_rows as not materialized (
    from custseg.mined_rows(
        'custseg_purchased_items', 'custseg_limits', 'custseg_items'
    )
)
from custseg.itemset_plan_of_rows(
    'custseg_rows', 'custseg_limits', 'custseg_item_lines',
    max_pairs := 9223372036854775807
);
