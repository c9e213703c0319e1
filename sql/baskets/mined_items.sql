-- mined_items(purchased_items, limits): the items that may be frequent, by rank.
-- in:  purchased_items as mining_limits takes them, limits as it gives them
-- out: item_id, rank INTEGER (1 is the rarest), base BIGINT (rank * (rank - 1) / 2: a
--      pair is known by the base of its more frequent item plus the rank of the other)
create or replace macro custseg.mined_items(purchased_items, limits) as table
with item_counts as (
    select item_id, count(*) as n_lines
    from query_table(purchased_items)
    group by item_id
),
ranked_items as (
    select
        item_id,
        (row_number() over (order by n_lines asc, item_id asc))::integer as rank,
    from item_counts
    where n_lines >= (select min_orders from query_table(limits))
)
select item_id, rank, rank::bigint * (rank - 1) // 2 as base
from ranked_items;
