-- mining_limits(purchased_items, min_support, min_count, max_length): how often is
--      frequent, and how long a set may be.
-- in:  purchased_items(order_id, item_id), once per line; min_support (0, 1] (share of
--      orders) or min_count >= 1 (orders); max_length >= 1 or NULL (no limit)
-- out: one row: n_orders, min_orders (the least count of a frequent set), longest,
--      has_duplicates BOOLEAN (within the first 20,000 lines an order holds an item
--      twice)
create or replace macro custseg.mining_limits(
    purchased_items, min_support := 0.01, min_count := null, max_length := 3
) as table
with source_items as not materialized (
    select order_id, custseg.order_key(order_id) as order_key, item_id
    from query_table(purchased_items)
),
order_counts as (
    select count(distinct order_key) as n_orders
    from source_items
    where
        custseg.require(
            coalesce(max_length, 1) >= 1
            and coalesce(max_length, 1) < 'infinity'::double,
            'max_length must be at least 1 or NULL, got {} [option]', max_length)
),
-- whole numbers are their own keys
other_counts as (
    select count(distinct order_id) as n_orders
    from source_items
    where not custseg.is_whole(order_id)
),
first_lines as (
    from source_items
    limit 20_000
),
-- as one value: by two keys DuckDB may count in an array of all orders times all items
duplicate_check as (
    select count(*) > count(distinct {'order': order_key, 'item': item_id})
        as has_duplicates
    from first_lines
)
select
    order_counts.n_orders,
    custseg.least_count(order_counts.n_orders, min_support, min_count) as min_orders,
    floor(least(coalesce(max_length, 1 << 30), 1 << 30))::bigint as longest,
    has_duplicates,
from order_counts
cross join other_counts
cross join duplicate_check
where custseg.require(other_counts.n_orders in (0, order_counts.n_orders),
    'order ids must have different hashes, got {} for ' || other_counts.n_orders
    || ' orders. Number the orders [same-hash]', order_counts.n_orders);
