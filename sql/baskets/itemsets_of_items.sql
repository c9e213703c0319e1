-- itemsets_of_items(purchased_items, item_names, ...): what is bought together, exactly
--      counted: the engine of frequent_itemsets.
-- in:  purchased_items(order_id, item_id, once per line), item_names(item_id,
--      item_name); min_support, min_count, max_length as in frequent_itemsets
-- out: as frequent_itemsets
-- source: Eclat, Zaki (2000), rarest items first. Pairs are counted by a self-join of
--      the baskets. For more, every pair that can be part of a triple keeps its orders
--      as a bitmap over the orders of its first (rarest) item alone, which is short; a
--      set with one more item is the AND of two such bitmaps, and its count their
--      common bits
create or replace macro custseg.itemsets_of_items(
    purchased_items, item_names,
    min_support := 0.01, min_count := null, max_length := 3
) as table
with thresholds as materialized (
    select
        count(distinct order_id) as n_orders,
        coalesce(
            min_count, greatest(1, ceil(min_support * n_orders - 1e-9))
        )::bigint as min_orders,
        coalesce(max_length, 1 << 30) as longest,
    from query_table(purchased_items)
    where
        custseg.require(min_count is null or coalesce(min_support, 0.01) = 0.01,
            'give min_support or min_count, not both; min_count is {}', min_count)
        and custseg.require(
            min_count is not null or (min_support > 0 and min_support <= 1),
            'min_support must be in (0, 1], got {}', min_support)
        and custseg.require(coalesce(min_count, 1) >= 1,
            'min_count must be at least 1, got {}', min_count)
        and custseg.require(coalesce(max_length, 1) >= 1,
            'max_length must be at least 1 or NULL, got {}', max_length)
),
-- an item in too few lines is in too few orders: only the others are made distinct
likely_items as (
    select item_id
    from query_table(purchased_items)
    group by item_id
    having count(*) >= (select min_orders from thresholds)
),
basket_items as materialized (
    select distinct order_id, item_id
    from query_table(purchased_items)
    semi join likely_items using (item_id)
),
frequent_items as materialized (
    select
        item_id,
        n_orders,
        (row_number() over (order by n_orders asc, item_id asc) - 1)::integer as rank,
    from (
        select item_id, count(*) as n_orders
        from basket_items
        group by item_id
    )
    where n_orders >= (select min_orders from thresholds)
),
ranked_items as materialized (
    select order_id, rank
    from basket_items
    inner join frequent_items using (item_id)
    where (select longest from thresholds) >= 2
),
frequent_pairs as materialized (
    select
        (pair >> 31)::integer as first,
        (pair & 2147483647)::integer as second,
        n_orders,
    from (
        select (rarer.rank::bigint << 31) + other.rank as pair, count(*) as n_orders
        from ranked_items as rarer
        inner join ranked_items as other
            on rarer.order_id = other.order_id and rarer.rank < other.rank
        group by pair
    )
    where n_orders >= (select min_orders from thresholds)
),
-- pairs that share their first item, and whose second items are a frequent pair too
possible_triples as materialized (
    select shorter.first, shorter.second, longer.second as third
    from frequent_pairs as shorter
    inner join frequent_pairs as longer
        on shorter.first = longer.first and shorter.second < longer.second
    semi join frequent_pairs as closing
        on shorter.second = closing.first and longer.second = closing.second
    where (select longest from thresholds) >= 3
),
projected_pairs as materialized (
    select (first::bigint << 31) + second as pair, first, second from possible_triples
    union
    select (first::bigint << 31) + third, first, third from possible_triples
),
-- only items of such pairs matter from here on, in orders that hold three of them
projected_items as materialized (
    select order_id, rank
    from ranked_items
    semi join (
        select first as rank from projected_pairs
        union
        select second from projected_pairs
    ) using (rank)
),
long_orders as materialized (
    select order_id
    from projected_items
    group by order_id
    having count(*) >= 3
),
kept_items as materialized (
    select order_id, rank
    from projected_items
    semi join long_orders using (order_id)
),
-- the orders of each first item, numbered from 0; one list per item, then its places:
-- a window would hold them all at once
first_orders as materialized (
    select rank as first, len(order_ids) as n_orders, order_ids
    from (
        select rank, list(order_id) as order_ids
        from kept_items
        semi join projected_pairs
            on kept_items.rank = projected_pairs.first
        group by rank
    )
),
numbered_orders as materialized (
    select
        first,
        n_orders,
        unnest(order_ids) as order_id,
        (generate_subscripts(order_ids, 1) - 1)::integer as position,
    from first_orders
),
-- the key of a pair is made of both sides, so that the pairs cannot be joined too early
pair_bitmaps as materialized (
    select
        any_value(projected_pairs.first) as first,
        any_value(projected_pairs.second) as second,
        custseg.bitmap(position, n_orders) as orders,
    from numbered_orders
    inner join kept_items
        on numbered_orders.order_id = kept_items.order_id
            and numbered_orders.first < kept_items.rank
    inner join projected_pairs
        on projected_pairs.pair
            = (numbered_orders.first::bigint << 31) + kept_items.rank
    group by projected_pairs.pair
),
all_sets as (
    -- each step joins the sets that differ in their last item only
    with recursive grown_sets as (
        select
            first::bigint as parent,
            (first::bigint << 31) + second as id,
            second as last,
            [first, second] as ranks,
            orders,
            0::bigint as n_orders,
            2 as length,
        from pair_bitmaps
        union all
        select parent, row_number() over () as id, last, ranks, orders, n_orders, length
        from (
            select
                shorter.id as parent,
                longer.last as last,
                list_append(shorter.ranks, longer.last) as ranks,
                shorter.orders & longer.orders as orders,
                bit_count(shorter.orders & longer.orders) as n_orders,
                shorter.length + 1 as length,
            from grown_sets as shorter
            inner join grown_sets as longer
                on shorter.parent = longer.parent and shorter.last < longer.last
            where shorter.length < (select longest from thresholds)
        )
        where n_orders >= (select min_orders from thresholds)
    )
    select [rank] as ranks, n_orders from frequent_items
    union all
    select [first, second], n_orders from frequent_pairs
    union all
    select ranks, n_orders from grown_sets where length >= 3
),
-- ids and names by rank
dictionary as materialized (
    select
        list(frequent_items.item_id order by rank asc) as item_ids,
        list(names.item_name order by rank asc) as item_names,
    from frequent_items
    left join query_table(item_names) as names
        on frequent_items.item_id = names.item_id
),
named_sets as (
    select
        list_sort(
            list_transform(ranks, lambda rank: {
                'id': item_ids[rank + 1], 'name': dictionary.item_names[rank + 1]
            }),
            'asc'
        ) as members,
        n_orders,
    from all_sets
    cross join dictionary
)
select
    row_number() over (
        order by len(members) asc, named_sets.n_orders desc, members asc
    ) as itemset_id,
    list_transform(members, lambda member: member.id) as items,
    list_transform(members, lambda member: member.name) as item_names,
    len(members) as length,
    named_sets.n_orders / thresholds.n_orders as support,
    named_sets.n_orders as support_count,
from named_sets
cross join thresholds;
