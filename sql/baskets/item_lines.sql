-- item_lines(lines, item): how many lines there are to mine, and how many are without
--      an item: those are in no basket.
-- in:  lines and item as purchased_items takes them
-- out: one row: n_lines (purchases with an order), n_lines_without_item (of them)
create or replace macro custseg.item_lines(lines, item := 'product_id') as table
with source_lines as not materialized (
    from query_table(lines)
),
optional_columns as (
    select null as quantity, null as amount, null as is_return, null as left_out
    where false
),
named_lines as not materialized (
    from optional_columns
    union all by name
    from source_lines
)
select count(*) as n_lines, count(*) - count(item_id) as n_lines_without_item
from (
    select columns(lambda name: lower(name) = lower(item)) as item_id
    from named_lines
    where
        order_id is not null
        and left_out is null
        and custseg.line_kind(is_return::boolean, quantity, amount) = 'purchase'
);
