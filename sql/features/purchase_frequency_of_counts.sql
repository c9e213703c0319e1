-- purchase_frequency_of_counts(orders, repeat_counts, as_of): purchase_frequency, from
--      what was counted before.
-- in:  orders, repeat_counts as the macros of these names give them; as_of: see
--      purchase_frequency
-- out: see purchase_frequency
create or replace macro custseg.purchase_frequency_of_counts(
    orders, repeat_counts, as_of := null
) as table
with custseg_orders_in as (
    from query_table(orders)
),
counted_products as (
    from query_table(repeat_counts)
),
known_days as (
    select
        bool_or(ordered_at is not null) as are_dates,
        bool_or(days_since_prior_order is not null) as are_counted,
    from custseg_orders_in
),
-- the day of each order: the calendar's, or where there are no dates, days since the
-- customer's first order
order_days as (
    select
        customer_id,
        ordered_at,
        n_items,
        date_diff('day', date '1970-01-01', ordered_at::date)::decimal(18, 4) as day,
    from custseg_orders_in
    where (select are_dates or not are_counted from known_days)
    union all
    select
        customer_id,
        ordered_at,
        n_items,
        sum(coalesce(days_since_prior_order, 0)) over (
            partition by customer_id
            order by ordered_at asc nulls last, order_number asc nulls last
        )::decimal(18, 4) as day,
    from custseg_orders_in
    where (select are_counted and not are_dates from known_days)
),
reference_day as (
    select coalesce(
        custseg.to_timestamp(as_of, 'as_of', null)::date, max(ordered_at)::date + 1
    ) as day
    from order_days
),
gaps as (
    select
        *,
        day - lag(day) over (
            partition by customer_id
            order by day asc nulls last
        ) as gap_days,
    from order_days
    where n_items > 0
),
order_totals as (
    select
        customer_id,
        count(*) as n_orders,
        min(ordered_at) as first_order,
        max(ordered_at) as last_order,
        coalesce(
            date_diff('day', first_order::date, (select day from reference_day)),
            max(day) - min(day)
        )::double as tenure_days,
        count(gap_days) as n_gaps,
        sum(gap_days)::double as gap_sum,
        sum(gap_days * gap_days)::double as gap_square_sum,
        median(gap_days)::double as median_gap_days,
        sum(n_items)::bigint as n_items,
    from gaps
    group by customer_id
),
products_bought as (
    select customer_id, sum(n_products)::bigint as n_products
    from counted_products
    group by customer_id
)
select
    order_totals.customer_id,
    n_orders,
    first_order,
    last_order,
    tenure_days,
    gap_sum / nullif(n_gaps, 0) as mean_gap_days,
    median_gap_days,
    case
        when n_gaps >= 2 then sqrt(greatest(
            (gap_square_sum - gap_sum * gap_sum / n_gaps) / (n_gaps - 1), 0
        ))
    end as stddev_gap_days,
    case
        when tenure_days is not null
            then n_orders * 30.0::double / greatest(tenure_days, 30)
    end as orders_per_30d,
    n_items::double / n_orders as mean_basket_size,
    1 - n_products::double / n_items as reorder_share,
from order_totals
inner join products_bought
    on order_totals.customer_id = products_bought.customer_id;
