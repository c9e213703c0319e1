-- level_rules(lines, levels, min_support, min_count, max_length, ...): rules between
--      items of all levels, as a product and a department; none between an item and its
--      own category.
-- in:  lines and levels as item_levels takes them; the others as frequent_itemsets and
--      association_rules take them
-- out: as association_rules; an item is a STRUCT(level VARCHAR, id VARCHAR)
create or replace macro custseg.level_rules(
    lines, levels := ['product_id', 'category', 'department'], min_support := 0.01,
    min_count := null, max_length := 2, min_confidence := 0.1,
    max_antecedents := null, max_consequents := 1, top := null, measure := 'lift',
    max_pairs := 10_000_000_000, max_candidates := 10_000_000, on_limit := 'error'
) as table
with custseg_items as materialized (
    from custseg.item_levels(lines, levels := levels)
),
custseg_all_itemsets as materialized (
    from custseg.frequent_itemsets(
        'custseg_items',
        min_support := min_support,
        min_count := min_count,
        max_length := max_length,
        item := 'item',
        max_pairs := max_pairs,
        max_candidates := max_candidates,
        on_limit := on_limit
    )
),
custseg_itemsets as materialized (
    from custseg.unrelated_itemsets('custseg_all_itemsets', 'custseg_items')
)
from custseg.association_rules(
    'custseg_itemsets',
    min_confidence := min_confidence,
    max_antecedents := max_antecedents,
    max_consequents := max_consequents,
    top := top,
    measure := measure
);
