-- mined_rows(purchased_items, limits, items): which of the items each order holds.
-- in:  purchased_items as mining_limits takes them; limits and items as mining_limits
--      and mined_items give them
-- out: order_key, rank, base; each once per order or, if no duplicates were seen, once
--      per line
create or replace macro custseg.mined_rows(purchased_items, limits, items) as table
with source_items as not materialized (
    select custseg.order_key(order_id) as order_key, item_id
    from query_table(purchased_items)
),
-- where there are no items, DuckDB does not read the source
distinct_items as (
    from query_table(items)
    where (select has_duplicates from query_table(limits))
),
other_items as (
    from query_table(items)
    where not (select has_duplicates from query_table(limits))
)
select order_key, rank, base
from source_items
inner join other_items using (item_id)
union all
select distinct order_key, rank, base
from source_items
inner join distinct_items using (item_id);
