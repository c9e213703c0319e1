-- rfm_of_orders(orders, as_of, n_bins): rfm, from orders that were counted before.
-- in:  orders as custseg.orders gives them; as_of, n_bins: see rfm
-- out: see rfm
-- source: Hughes, Strategic Database Marketing (1994); labels by recency and frequency
--      on a 5 x 5 grid
create or replace macro custseg.rfm_of_orders(
    orders, as_of := null, n_bins := 5
) as table
with customer_orders as (
    from query_table(orders)
),
reference_day as (
    select coalesce(
        custseg.to_timestamp(as_of, 'as_of', null)::date, max(ordered_at)::date + 1
    ) as day
    from customer_orders
    where custseg.require(n_bins in (2, 3, 4, 5, 6, 7, 8, 9),
        'n_bins must be a whole number from 2 to 9, got {} [option]', n_bins)
),
customer_values as (
    select
        customer_id,
        date_diff(
            'day',
            max(ordered_at) filter (n_items > 0)::date,
            (select day from reference_day)
        )::integer as recency_days,
        count(*) filter (n_items > 0) as frequency,
        sum(amount)::double as monetary,
    from customer_orders
    group by customer_id
    having frequency > 0
),
ranked_customers as (
    select
        *,
        count(*) over () as n_customers,
        rank() over (order by recency_days desc nulls last) - 1 as n_less_recent,
        rank() over (order by frequency asc) - 1 as n_less_frequent,
        rank() over (order by monetary asc nulls last) - 1 as n_lower_spend,
    from customer_values
),
scored_customers as (
    select
        customer_id, recency_days, frequency, monetary,
        case
            when recency_days is not null
                then 1 + n_bins * n_less_recent // n_customers
        end::integer as r_score,
        (1 + n_bins * n_less_frequent // n_customers)::integer as f_score,
        case
            when monetary is not null then 1 + n_bins * n_lower_spend // n_customers
        end::integer as m_score,
    from ranked_customers
)
select
    *,
    r_score::varchar || f_score::varchar || m_score::varchar as rfm_cell,
    list_transform(
        [{'r': ceil(5 * r_score / n_bins), 'f': ceil(5 * f_score / n_bins)}],
        lambda grid: case
            when grid.r is null then null
            when grid.r <= 2 and grid.f <= 2 then 'hibernating'
            when grid.r <= 2 and grid.f <= 4 then 'at risk'
            when grid.r <= 2 then 'cannot lose them'
            when grid.r = 3 and grid.f <= 2 then 'about to sleep'
            when grid.r = 3 and grid.f = 3 then 'need attention'
            when grid.r <= 4 and grid.f >= 4 then 'loyal'
            when grid.r = 5 and grid.f >= 4 then 'champions'
            when grid.f >= 2 then 'potential loyalists'
            when grid.r = 4 then 'promising'
            else 'new'
        end
    )[1] as rfm_label,
from scored_customers;
