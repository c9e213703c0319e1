-- timing_of_orders(orders): timing, from orders that were counted before.
-- in:  orders as custseg.orders gives them
-- out: see timing
create or replace macro custseg.timing_of_orders(orders) as table
with purchase_times as (
    select
        customer_id,
        isodow(ordered_at) as weekday,
        hour(ordered_at) as hour,
        ordered_at <> date_trunc('day', ordered_at) as has_time,
    from query_table(orders)
    where n_items > 0
),
shop as (
    select bool_or(has_time) as has_times
    from purchase_times
),
order_counts as (
    select
        customer_id,
        nullif(count(weekday), 0)::double as n_dated,
        case when (select has_times from shop) then n_dated end as n_timed,
        count(*) filter (weekday = 1) as n_monday,
        count(*) filter (weekday = 2) as n_tuesday,
        count(*) filter (weekday = 3) as n_wednesday,
        count(*) filter (weekday = 4) as n_thursday,
        count(*) filter (weekday = 5) as n_friday,
        count(*) filter (weekday = 6) as n_saturday,
        count(*) filter (weekday = 7) as n_sunday,
        count(*) filter (hour < 6) as n_night,
        count(*) filter (hour >= 6 and hour < 12) as n_morning,
        count(*) filter (hour >= 12 and hour < 18) as n_afternoon,
        count(*) filter (hour >= 18) as n_evening,
    from purchase_times
    group by customer_id
)
select
    customer_id,
    n_monday / n_dated as monday_share,
    n_tuesday / n_dated as tuesday_share,
    n_wednesday / n_dated as wednesday_share,
    n_thursday / n_dated as thursday_share,
    n_friday / n_dated as friday_share,
    n_saturday / n_dated as saturday_share,
    n_sunday / n_dated as sunday_share,
    (n_saturday + n_sunday) / n_dated as weekend_share,
    n_night / n_timed as night_share,
    n_morning / n_timed as morning_share,
    n_afternoon / n_timed as afternoon_share,
    n_evening / n_timed as evening_share,
from order_counts;
