-- purchase_frequency(lines, as_of): how often and how much at a time each customer
--      buys.
-- in:  lines as order_lines takes them; as_of (default: the midnight after the last
--      order)
-- out: customer_id, n_orders (orders with a purchase, >= 1), first_order, last_order,
--      tenure_days (from the first order's day to as_of's), mean_gap_days,
--      median_gap_days, stddev_gap_days (between consecutive orders, in days; 0 on the
--      same day; NULL below two orders, stddev below three), orders_per_30d (n_orders *
--      30 / tenure_days, a tenure below 30 days counting as 30), mean_basket_size
--      (purchase lines per order), reorder_share (0 to 1: purchase lines that are not
--      the customer's first of that product)
create or replace macro custseg.purchase_frequency(lines, as_of := null) as table
with purchases as not materialized (
    select customer_id, order_id, product_id, ordered_at, days_since_prior_order
    from custseg.order_lines(lines, as_of := as_of)
    where not is_return
),
customer_orders as (
    select
        customer_id,
        order_id,
        min(ordered_at) as ordered_at,
        count(*) as n_items,
        min(days_since_prior_order) as days_since_prior_order,
    from purchases
    group by customer_id, order_id
),
reference_day as (
    select coalesce(
        custseg.to_timestamp(as_of, 'as_of', null)::date, max(ordered_at)::date + 1
    ) as day
    from customer_orders
),
-- where there are no dates, the shop's own count of days since the prior order
gaps as (
    select
        customer_id, ordered_at, n_items,
        coalesce(
            date_diff(
                'day',
                lag(ordered_at) over (
                    partition by customer_id
                    order by ordered_at asc nulls last
                )::date,
                ordered_at::date
            ),
            days_since_prior_order
        )::integer as gap_days,
    from customer_orders
),
order_totals as (
    select
        customer_id,
        count(*) as n_orders,
        min(ordered_at) as first_order,
        max(ordered_at) as last_order,
        coalesce(
            date_diff('day', first_order::date, (select day from reference_day)),
            sum(gap_days)
        )::integer as tenure_days,
        sum(gap_days)::double / count(gap_days) as mean_gap_days,
        median(gap_days)::double as median_gap_days,
        sum(gap_days)::hugeint as gap_sum,
        sum(gap_days * gap_days)::hugeint as gap_square_sum,
        count(gap_days) as n_gaps,
        sum(n_items)::bigint as n_items,
    from gaps
    group by customer_id
),
products_bought as (
    select customer_id, count(distinct product_id) as n_products
    from purchases
    group by customer_id
)
select
    order_totals.customer_id,
    n_orders,
    first_order,
    last_order,
    tenure_days,
    mean_gap_days,
    median_gap_days,
    case
        when n_gaps >= 2 then sqrt(
            (n_gaps * gap_square_sum - gap_sum * gap_sum)::double
            / (n_gaps * (n_gaps - 1))
        )
    end as stddev_gap_days,
    n_orders * 30.0::double / greatest(tenure_days, 30) as orders_per_30d,
    n_items::double / n_orders as mean_basket_size,
    1 - n_products::double / n_items as reorder_share,
from order_totals
inner join products_bought
    on order_totals.customer_id = products_bought.customer_id;
