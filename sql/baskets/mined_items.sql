-- mined_items(purchased_items, limits, containing): the items that may be frequent, by
--      rank.
-- in:  purchased_items as mining_limits takes them, limits as it gives them;
--      containing: NULL, or a list of items: then only those and the ones that are
--      frequent in orders with one of them
-- out: item_id, rank INTEGER (1 is the rarest), base BIGINT (rank * (rank - 1) / 2: a
--      pair is known by the base of its more frequent item plus the rank of the other),
--      is_asked_for (contained, as asked; NULL where nothing is), n_frequent_items (the
--      same in every row: that may be frequent in all orders)
create or replace macro custseg.mined_items(
    purchased_items, limits, containing := null
) as table
with item_counts as not materialized (
    select item_id, count(*) as n_lines
    from query_table(purchased_items)
    group by item_id
),
asked_items as materialized (
    select item_id
    from item_counts
    where list_contains(containing::varchar[], item_id::varchar)
),
asked_check as (
    select case
        when containing is null then false
        else custseg.require(
            len(containing) > 0 and count(*) = len(list_distinct(containing)),
            'containing must be a list of items that are bought, got {} [option]',
            case when len(containing) = 0 then 'none' else list_filter(
                containing::varchar[],
                lambda asked: not coalesce(
                    list_contains(list(item_id::varchar), asked), false
                )
            )[1] end)
    end as is_asked
    from asked_items
),
asked_orders as (
    select distinct order_id
    from query_table(purchased_items)
    semi join asked_items using (item_id)
    where containing is not null
),
companion_counts as (
    select item_id, count(*) as n_lines
    from query_table(purchased_items)
    semi join asked_orders using (order_id)
    where containing is not null and (select is_asked from asked_check)
    group by item_id
),
frequent_items as (
    select item_id, n_lines, (count(*) over ())::bigint as n_frequent_items
    from item_counts
    where n_lines >= (select min_orders from query_table(limits))
),
wanted_items as (
    from frequent_items
    where containing is null
    union all
    select frequent_items.*
    from frequent_items
    semi join (
        from companion_counts
        where n_lines >= (select min_orders from query_table(limits))
    ) as companions using (item_id)
    where containing is not null
),
ranked_items as (
    select
        *,
        (row_number() over (order by n_lines asc, item_id asc))::integer as rank,
    from wanted_items
)
select
    item_id,
    rank,
    rank::bigint * (rank - 1) // 2 as base,
    list_contains(containing::varchar[], item_id::varchar) as is_asked_for,
    n_frequent_items,
from ranked_items;
