-- orders(lines, as_of): one row per customer and order.
-- in:  lines as order_lines takes them; as_of (only lines before it count)
-- out: customer_id, order_id, ordered_at (the first purchase line's; of an order of
--      returns alone, the first line's), n_items (purchase lines; 0 if all are
--      returns), amount (currency, net of returns), order_number,
--      days_since_prior_order
create or replace macro custseg.orders(lines, as_of := null) as table
select
    customer_id,
    order_id,
    coalesce(min(ordered_at) filter (not is_return), min(ordered_at)) as ordered_at,
    count(*) filter (not is_return) as n_items,
    sum(amount) as amount,
    min(order_number) as order_number,
    min(days_since_prior_order) as days_since_prior_order,
from custseg.order_lines(lines, as_of := as_of)
group by customer_id, order_id;
