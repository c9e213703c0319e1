-- itemsets_of_pairs(plan, items, rows, pairs, ...): every frequent set of items,
--      exactly counted.
-- in:  plan, items, rows and pairs as itemset_plan_of_rows, mined_items, mined_rows and
--      pair_counts give them; max_candidates >= 1: the most sets of one length to
--      count; on_limit: what to do beyond it, 'error' or 'truncate'
-- out: ranks INTEGER[] (of the items, ascending), n_orders, is_truncated BOOLEAN (the
--      same in every row: there are longer sets, which were left uncounted)
-- source: Eclat: Zaki (2000), IEEE TKDE 12(3). The orders of a set are a bitmap; those
--      of a set with one more item are the AND of the bitmaps of two sets that differ
--      in their last item, and their number is its bit count. Items go from rare to
--      frequent. A bitmap's bits are the orders of its first item alone (in dense data,
--      all orders): so it is short; and it is made only for pairs that may be part of a
--      triple
create or replace macro custseg.itemsets_of_pairs(
    plan, items, rows, pairs, max_candidates := 100_000_000, on_limit := 'error'
) as table
with plan_row as materialized (
    select
        min_orders,
        longest,
        method,
        -- two items of one order are a pair, unless they are the same item
        method = 'sparse' and longest >= 2
            and n_pairs = (select coalesce(sum(n_orders), 0) from query_table(pairs))
            as is_distinct,
    from query_table(plan)
    where
        custseg.require(on_limit in ('error', 'truncate'),
            'on_limit must be ''error'' or ''truncate'', got {}', on_limit)
        and custseg.require(coalesce(max_candidates >= 1, false),
            'max_candidates must be at least 1, got {}', max_candidates)
),
-- 1. what each order holds, once
distinct_rows as materialized (
    select distinct order_key, rank, base
    from query_table(rows)
    where not (select is_distinct from plan_row)
),
basket_rows as not materialized (
    from query_table(rows)
    where (select is_distinct from plan_row)
    union all
    from distinct_rows
),
-- 2. pairs; after duplicates once more
exact_pairs as (
    select pair, n_orders
    from query_table(pairs)
    where (select is_distinct from plan_row)
    union all
    select counted_items.base + other_items.rank as pair, count(*) as n_orders
    from distinct_rows as counted_items
    inner join distinct_rows as other_items
        on counted_items.order_key = other_items.order_key
            and other_items.rank < counted_items.rank
    where (select method = 'sparse' and longest >= 2 from plan_row)
    group by pair
),
frequent_pairs as materialized (
    select (pair - base)::integer as first, rank as second, pair, n_orders
    from (
        select pair, n_orders
        from exact_pairs
        where n_orders >= (select min_orders from plan_row)
    )
    asof join query_table(items) as more_frequent
        on pair > more_frequent.base
),
-- 3. triples that may be frequent: all of their pairs are. In dense data every pair may
--    be, beside the item 0 that stands for every order
possible_sets as materialized (
    select
        shorter.first,
        shorter.second,
        longer.second as third,
        shorter.pair as shorter_pair,
        longer.pair as longer_pair,
    from frequent_pairs as shorter
    inner join frequent_pairs as longer
        on shorter.first = longer.first and shorter.second < longer.second
    semi join frequent_pairs as closing
        on shorter.second = closing.first and longer.second = closing.second
    where (select longest >= 3 from plan_row)
    union all
    select 0, rarer.rank, other.rank, rarer.base, other.base
    from query_table(items) as rarer
    inner join query_table(items) as other
        on rarer.rank < other.rank
    where (select method = 'dense' and longest >= 2 from plan_row)
),
candidate_count as materialized (
    select count(*) > max_candidates as is_truncated
    from possible_sets
    having custseg.require(
        on_limit = 'truncate' or count(*) <= max_candidates,
        'max_candidates must be at least {}, the number of sets of '
        || case when min(first) = 0 then '2' else '3' end || ' items to count. Raise '
        || 'it or min_support, or take max_length := '
        || case when min(first) = 0 then '1' else '2' end, count(*))
),
candidates as materialized (
    from possible_sets
    where not (select is_truncated from candidate_count)
),
-- 4. the bitmap of each pair in them: the orders of the first item are numbered, and
--    the bits of those that hold the second are set
projected_pairs as materialized (
    select first, second, shorter_pair as pair from candidates
    union
    select first, third, longer_pair from candidates
    union
    select 0, rank, base
    from query_table(items)
    where (select method = 'dense' from plan_row)
),
projected_rows as materialized (
    select order_key, rank, base
    from basket_rows
    semi join (
        select first as rank from projected_pairs
        union
        select second from projected_pairs
    ) using (rank)
),
first_orders as materialized (
    select first, size, order_keys
    from (
        select rank as first, count(*) as size, list(order_key) as order_keys
        from projected_rows
        group by rank
    )
    semi join projected_pairs using (first)
    union all
    select 0, count(*), list(order_key)
    from (
        select distinct order_key
        from projected_rows
        where (select method = 'dense' from plan_row)
    )
),
numbered_orders as materialized (
    select
        first,
        unnest(order_keys) as order_key,
        (generate_subscripts(order_keys, 1) - 1)::integer as place,
    from first_orders
),
-- out of one list, so that DuckDB expects few and keeps them in memory, not the rows
few_pairs as (
    select unnest(listed) as pair
    from (select list(pair) as listed from projected_pairs)
),
-- an aggregate's bitmaps are of one length: blocks of 1024, and then as many in a row
-- as it takes; 32 by 32, since each is copied as often as others are added
blocks as materialized (
    select
        few_pairs.pair,
        place >> 10 as block,
        bitstring_agg(place & 1023, 0, 1023)::blob as bits,
    from numbered_orders
    inner join projected_rows
        on numbered_orders.order_key = projected_rows.order_key
            and numbered_orders.first < projected_rows.rank
    inner join few_pairs
        on few_pairs.pair = projected_rows.base + numbered_orders.first
    group by few_pairs.pair, block
),
rows_of_blocks as (
    select
        pair,
        block >> 5 as block_row,
        list_reduce(
            list(coalesce(bits, repeat('0', 1024)::bit::blob) order by block),
            lambda joined, bits: joined || bits
        ) as bits,
    from (
        select pair, unnest(range((size + 1023) >> 10)) as block
        from projected_pairs
        inner join (select first, size from first_orders) using (first)
    )
    left join blocks using (pair, block)
    group by pair, block_row
),
bitmaps as materialized (
    select
        pair,
        list_reduce(
            list(bits order by block_row), lambda joined, bits: joined || bits
        )::bit as orders,
    from rows_of_blocks
    group by pair
),
-- 5. candidates that are frequent, and then length by length all that grow from them
counted_sets as materialized (
    select
        case when first = 0 then [second] else [first, second] end as prefix,
        third as last,
        shorter.orders & longer.orders as orders,
        bit_count(shorter.orders & longer.orders) as n_orders,
    from candidates
    inner join (select pair as shorter_pair, orders from bitmaps) as shorter
        using (shorter_pair)
    inner join (select pair as longer_pair, orders from bitmaps) as longer
        using (longer_pair)
    where n_orders >= (select min_orders from plan_row)
),
grown_sets as materialized (
    with recursive grown as (
        select prefix, last, orders, n_orders
        from counted_sets
        union all
        (
            -- sets that differ in their last item only, each two of them
            with next_count as materialized (
                select
                    coalesce(sum(n_siblings * (n_siblings - 1) // 2), 0) as n_sets,
                    max(length) as length,
                from (
                    select count(*) as n_siblings, len(prefix) + 1 as length
                    from grown
                    cross join plan_row
                    where len(prefix) + 1 < longest
                    group by prefix
                )
            )
            select
                prefix,
                last,
                case when len(prefix) + 1 < longest then orders end as orders,
                n_orders,
            from (
                select
                    list_append(shorter.prefix, shorter.last) as prefix,
                    longer.last,
                    shorter.orders & longer.orders as orders,
                    bit_count(shorter.orders & longer.orders) as n_orders,
                from grown as shorter
                inner join grown as longer
                    on shorter.prefix = longer.prefix and shorter.last < longer.last
                where (
                    select n_sets between 1 and max_candidates from next_count
                )
            ) as longer_sets
            cross join plan_row
            where longer_sets.n_orders >= min_orders
            union all
            -- a row without a set marks where counting stopped
            select null, null, null, n_sets
            from next_count
            where
                n_sets > max_candidates
                and custseg.require(
                    on_limit = 'truncate' or n_sets <= max_candidates,
                    'max_candidates must be at least {}, the number of sets of '
                    || (length + 1) || ' items to count. Raise it or min_support, or '
                    || 'take max_length := ' || length, n_sets)
        )
    )
    select prefix, last, n_orders
    from grown
),
truncation as (
    select
        (select is_truncated from candidate_count)
            or exists (from grown_sets where prefix is null) as is_truncated,
)
select ranks, found_sets.n_orders, is_truncated
from (
    select [rank] as ranks, count(*) as n_orders
    from basket_rows
    group by rank
    union all
    select [first, second], n_orders
    from frequent_pairs
    union all
    select list_append(prefix, last), n_orders
    from grown_sets
    where prefix is not null
) as found_sets
cross join truncation
where found_sets.n_orders >= (select min_orders from plan_row);
