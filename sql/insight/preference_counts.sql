-- preference_counts(lines): how often each customer bought in each department and
--      category, on each weekday and at which time of day.
-- in:  lines as order_lines takes them
-- out: customer_id, kind ('department', 'category', 'weekday', 'daypart'; without the
--      columns that it needs a kind is absent), value VARCHAR ('night' is from 0 to 6
--      o'clock, 'morning' to 12, 'afternoon' to 18, 'evening' to 24), n_lines (purchase
--      lines; of times, orders)
create or replace macro custseg.preference_counts(lines) as table
with custseg_orders as materialized (
    from custseg.orders(lines)
    where n_items > 0 and ordered_at is not null
),
-- few rows beside the lines
counted_lines as materialized (
    select customer_id, department, category, count(*) as n_lines
    from custseg.order_lines(lines)
    where not is_return and coalesce(department, category) is not null
    group by customer_id, department, category
)
select
    customer_id,
    'department' as kind,
    department as value,
    sum(n_lines)::bigint as n_lines,
from counted_lines
where department is not null
group by customer_id, department
union all
select customer_id, 'category', category, sum(n_lines)::bigint
from counted_lines
where category is not null
group by customer_id, category
union all
select customer_id, 'weekday', dayname(ordered_at), count(*)
from custseg_orders
group by customer_id, dayname(ordered_at)
union all
select
    customer_id,
    'daypart',
    ['night', 'morning', 'afternoon', 'evening'][1 + hour(ordered_at) // 6] as daypart,
    count(*),
from custseg_orders
where (
    select bool_or(ordered_at <> date_trunc('day', ordered_at)) from custseg_orders
)
group by customer_id, daypart;
