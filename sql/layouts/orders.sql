-- orders: lines whose customer and time are in a table of orders, as Instacart's.
-- in:  custseg_source_priced_lines; custseg_source_orders, one row per order_id, NULL
--      in the columns that the lines have themselves, with time_text (ordered_at, if it
--      is text)
-- out: every line, with the columns of its order; NULL where it is not among the orders
create temp view custseg_source_order_lines as
select
    order_lines.* replace (
        coalesce(order_lines.customer_id, orders.customer_id) as customer_id,
        coalesce(
            order_lines.ordered_at,
            orders.ordered_at,
            custseg.to_timestamp(orders.time_text, 'ordered_at', null)
        ) as ordered_at,
        coalesce(order_lines.order_number, orders.order_number) as order_number,
        coalesce(
            order_lines.days_since_prior_order, orders.days_since_prior_order
        ) as days_since_prior_order
    ),
from temp.main.custseg_source_priced_lines as order_lines
left join temp.main.custseg_source_orders as orders
    on order_lines.order_id = orders.order_id;
