-- pair_blocks(projected_pairs, projected_rows, numbered_orders): the orders of each
--      pair as a bitmap over the numbered orders of its first item, in blocks.
-- in:  projected_pairs, projected_rows and numbered_orders as the macros of these names
--      give them
-- out: pair, block INTEGER (from 0), bits BIT (of 1024; blocks without a bit are left
--      out): DuckDB takes the length of an aggregate's bitmap from literals only
create or replace macro custseg.pair_blocks(
    projected_pairs, projected_rows, numbered_orders
) as table
-- out of one list, so that DuckDB expects few, and joins rows to them, not them to rows
with few_pairs as (
    select unnest(listed) as pair
    from (select list(pair) as listed from query_table(projected_pairs))
)
select
    few_pairs.pair,
    place >> 10 as block,
    bitstring_agg(place & 1023, 0, 1023) as bits,
from query_table(numbered_orders) as first_items
inner join query_table(projected_rows) as second_items
    on first_items.order_key = second_items.order_key
        and first_items.first < second_items.rank
inner join few_pairs
    on few_pairs.pair = second_items.base + first_items.first
group by few_pairs.pair, block;
