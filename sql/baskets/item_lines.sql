-- item_lines(lines, item): how many lines there are to mine, and how many are without
--      an item: those are in no basket.
-- in:  lines and item as purchases takes them
-- out: one row: n_lines (purchases with an order), n_lines_without_item (of them),
--      n_incomplete_orders (that have lines with an item and lines without)
create or replace macro custseg.item_lines(lines, item := 'product_id') as table
with item_purchases as not materialized (
    from custseg.purchases(lines, item := item)
),
-- where there are none, DuckDB does not read the lines to compare them to
unknown_orders as materialized (
    select distinct order_id
    from item_purchases
    where item_id is null
),
incomplete_orders as (
    select count(distinct order_id) as n_incomplete_orders
    from item_purchases
    semi join unknown_orders using (order_id)
    where item_id is not null and (select count(*) > 0 from unknown_orders)
)
select
    count(*) as n_lines,
    count(*) - count(item_id) as n_lines_without_item,
    any_value(n_incomplete_orders) as n_incomplete_orders,
from item_purchases
cross join incomplete_orders;
