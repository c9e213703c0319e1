-- purchase_frequency(lines, as_of): how often and how much at a time each customer
--      buys.
-- in:  lines as order_lines takes them; as_of (default: the midnight after the last
--      order)
-- out: customer_id, n_orders (orders with a purchase, >= 1), first_order, last_order,
--      tenure_days (from the first order's day to as_of's; without dates from the
--      first order to the last, by the shop's own count of days; NULL without
--      either), mean_gap_days, median_gap_days, stddev_gap_days (between consecutive
--      orders, in days; 0 on the same day; NULL below two orders, stddev below
--      three), orders_per_30d (n_orders * 30 / tenure_days, a tenure below 30 days
--      counting as 30), mean_basket_size (purchase lines per order), reorder_share
--      (0 to 1: purchase lines that are not the customer's first of that product)
create or replace macro custseg.purchase_frequency(lines, as_of := null) as table
with custseg_orders as (
    from custseg.orders(lines, as_of := as_of)
),
custseg_repeat_counts as (
    from custseg.repeat_counts(lines, as_of := as_of)
)
from custseg.purchase_frequency_of_counts(
    'custseg_orders', 'custseg_repeat_counts', as_of := as_of
);
