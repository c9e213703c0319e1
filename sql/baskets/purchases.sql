-- purchases(lines, item): the item of every purchase line that has an order.
-- in:  lines(order_id, and the column that item names: any type; left_out, is_return,
--      quantity and amount where they exist); item: the column's name, 'product_id',
--      'category', 'department' or any other
-- out: order_id (never NULL), item_id (NULL where the line has none), once per line; no
--      returns
create or replace macro custseg.purchases(lines, item := 'product_id') as table
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
select
    order_id,
    columns(lambda name: custseg.folded(name) = custseg.folded(item)) as item_id,
from named_lines
where
    order_id is not null
    and left_out is null
    and custseg.line_kind(
        custseg.to_boolean(is_return, 'is_return'), quantity, amount
    ) = 'purchase'
    and custseg.plain_texts();
