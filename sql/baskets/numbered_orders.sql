-- numbered_orders(projected_pairs, projected_rows): the orders of each first item of a
--      pair, numbered; those of the item 0 are all.
-- in:  projected_pairs and projected_rows as the macros of these names give them
-- out: first, order_key, place INTEGER (from 0, in any order)
create or replace macro custseg.numbered_orders(
    projected_pairs, projected_rows
) as table
with first_items as materialized (
    select distinct first from query_table(projected_pairs)
),
-- out of one list per item: a window would hold all of them at once
first_orders as materialized (
    select first, order_keys
    from (
        select rank as first, list(order_key) as order_keys
        from query_table(projected_rows)
        group by rank
    )
    semi join first_items using (first)
    union all
    select 0, list(order_key)
    from (
        select distinct order_key
        from query_table(projected_rows)
        where 0 in (from first_items)
    )
)
select
    first,
    unnest(order_keys) as order_key,
    (generate_subscripts(order_keys, 1) - 1)::integer as place,
from first_orders;
