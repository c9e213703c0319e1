-- frequent_itemsets(lines, min_support, min_count, max_length, item): what is bought
--      together, exactly counted.
-- in:  lines as baskets takes them; min_support (0, 1] (share of orders) or min_count
--      >= 1 (orders); max_length >= 1 or NULL (no limit); item: the name of the column
--      to mine
-- out: itemset_id (1 is the shortest, then most frequent), items (sorted list of item
--      ids), item_names (NULL where unknown), length, support (0 to 1), support_count
--      (orders)
create or replace macro custseg.frequent_itemsets(
    lines, min_support := 0.01, min_count := null, max_length := 3, item := 'product_id'
) as table
with custseg_purchased_items as materialized (
    from custseg.purchased_items(lines, item := item)
),
custseg_item_names as materialized (
    from custseg.item_names(lines, item := item)
)
from custseg.itemsets_of_items(
    'custseg_purchased_items', 'custseg_item_names',
    min_support := min_support, min_count := min_count, max_length := max_length
);
