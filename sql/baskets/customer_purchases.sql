-- customer_purchases(lines, item): every purchase line with a customer, an order and an
--      item.
-- in:  lines(customer_id, order_id, and the column that item names; ordered_at,
--      quantity, amount, category, left_out, is_return where they exist); item as
--      purchases takes it
-- out: customer_id, order_id, item_id (none NULL), ordered_at TIMESTAMP, quantity and
--      amount DECIMAL(18, 4), category VARCHAR (each NULL where unknown)
create or replace macro custseg.customer_purchases(
    lines, item := 'product_id'
) as table
with source_lines as not materialized (
    from query_table(lines)
),
optional_columns as (
    select
        null as ordered_at, null as quantity, null as amount, null as category,
        null as is_return, null as left_out
    where false
),
named_lines as not materialized (
    from optional_columns
    union all by name
    from source_lines
),
item_lines as not materialized (
    select
        customer_id,
        order_id,
        columns(lambda name: custseg.folded(name) = custseg.folded(item)) as item_id,
        custseg.to_timestamp(ordered_at, 'ordered_at', null) as ordered_at,
        custseg.to_decimal(quantity, 'quantity') as quantity,
        custseg.to_decimal(amount, 'amount') as amount,
        nullif(trim(category::varchar), '') as category,
    from named_lines
    where
        left_out is null
        and custseg.line_kind(
            custseg.to_boolean(is_return, 'is_return'), quantity, amount
        ) = 'purchase'
)
from item_lines
where customer_id is not null and order_id is not null and item_id is not null;
