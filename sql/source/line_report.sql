-- line_report(lines, ...): how many lines are kept and how many are left out, by
--      reason; every line counts once.
-- in:  lines and the options of order_lines
-- out: is_kept BOOLEAN, reason VARCHAR, n_lines BIGINT, amount DECIMAL(38, 4) (NULL
--      without amounts). A duplicate is the second and every further line of the same
--      customer, order, product, time, quantity and amount
create or replace macro custseg.line_report(
    lines, since := null, as_of := null, exclude_items := null, returns := 'net',
    duplicates := 'keep', empty_lines := 'drop', time_zone := null
) as table
with classified as not materialized (
    from custseg.classified_lines(
        lines, since := since, as_of := as_of, exclude_items := exclude_items,
        returns := returns, duplicates := duplicates, empty_lines := empty_lines,
        time_zone := time_zone
    )
),
kept_lines as not materialized (
    select
        customer_id, order_id, is_return, amount,
        hash(product_id, ordered_at, quantity, amount, is_return) as content,
    from classified
    where left_out is null
),
-- lines that are alike stand in one order; most orders have none. The others come out
-- of one list, so that they, not all lines, are the side that the join keeps in memory
repeating_orders as (
    select unnest(list({'customer_id': customer_id, 'order_id': order_id})) as same
    from (
        select customer_id, order_id
        from kept_lines
        group by customer_id, order_id
        having count(*) > list_unique(list(content))
    )
),
repeated_lines as (
    select
        customer_id,
        is_return,
        count(*) - 1 as n_further,
        (count(*) - 1) * min(amount) as further_amount,
    from kept_lines
    semi join repeating_orders
        on customer_id = same.customer_id and order_id = same.order_id
    group by customer_id, order_id, is_return, content
    having count(*) > 1
),
customer_counts as materialized (
    select
        customer_id,
        is_return,
        count(*) as n_lines,
        sum(amount) as amount,
    from kept_lines
    group by customer_id, is_return
),
buyers as (
    select customer_id
    from customer_counts
    where not is_return
),
kept_counts as (
    select
        case
            when not is_return then 'purchase'
            when customer_id in (from buyers) then 'return'
            else 'return by a customer without a purchase'
        end as reason,
        sum(n_lines) as n_lines,
        sum(amount) as amount,
        sum(n_further) as n_further,
        sum(further_amount) as further_amount,
    from (
        from customer_counts
        union all by name
        from repeated_lines
    )
    group by reason
),
parts as (
    select
        reason not like 'return by %' as is_kept,
        reason,
        n_lines - coalesce(n_further, 0) as n_lines,
        amount - coalesce(further_amount, 0) as amount,
    from kept_counts
    union all
    select
        reason not like 'return by %', 'duplicate ' || reason, n_further, further_amount
    from kept_counts
    union all
    select false, left_out, count(*), sum(amount)
    from classified
    where left_out is not null
    group by left_out
)
select
    is_kept,
    reason,
    n_lines::bigint as n_lines,
    amount::decimal(38, 4) as amount,
from parts
where n_lines > 0
order by is_kept desc, n_lines desc, reason asc;
