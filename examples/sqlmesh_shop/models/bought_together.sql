MODEL (
    name reports.bought_together,
    kind FULL,
    grain items
);

-- Pairs of products in at least one order in twenty.
select
    items,
    item_names,
    support_count
from custseg.frequent_itemsets('order_lines', min_support := 0.05, max_length := 2)
where length = 2
