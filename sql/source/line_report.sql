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
-- lines that are alike, by a 64-bit hash
purchases as (
    select count(*) as n_lines, min(amount) as line_amount
    from classified
    where left_out is null and not is_return
    group by hash(customer_id, order_id, product_id, ordered_at, quantity, amount)
),
returns_found as materialized (
    select customer_id, count(*) as n_lines, min(amount) as line_amount
    from classified
    where left_out is null and is_return
    group by
        customer_id,
        hash(customer_id, order_id, product_id, ordered_at, quantity, amount)
),
buyers as (
    select distinct customer_id
    from classified
    where
        left_out is null
        and not is_return
        and exists (from returns_found)
),
kinds as (
    select true as is_kept, 'purchase' as reason, n_lines, line_amount
    from purchases
    union all
    select true, 'return', n_lines, line_amount
    from returns_found
    semi join buyers using (customer_id)
    union all
    select false, 'return by a customer without a purchase', n_lines, line_amount
    from returns_found
    anti join buyers using (customer_id)
),
counts as (
    select
        is_kept,
        reason,
        count(*) as n_first,
        sum(line_amount) as first_amount,
        sum(n_lines - 1) as n_further,
        sum((n_lines - 1) * line_amount) as further_amount,
    from kinds
    group by is_kept, reason
    union all
    select false, left_out, count(*), sum(amount), 0, 0
    from classified
    where left_out is not null
    group by left_out
),
parts as (
    select is_kept, reason, n_first as n_lines, first_amount as amount
    from counts
    union all
    select is_kept, 'duplicate ' || reason, n_further, further_amount
    from counts
)
select
    is_kept,
    reason,
    n_lines::bigint as n_lines,
    amount::decimal(38, 4) as amount,
from parts
where n_lines > 0
order by is_kept desc, n_lines desc, reason asc;
