-- grown_sets(plan, frequent_candidates, blocks, max_candidates, on_limit): the longer
--      sets that grow from these.
-- in:  plan, frequent_candidates and blocks as itemset_plan_of_rows,
--      frequent_candidates and pair_blocks give them; max_candidates and on_limit as
--      frequent_itemsets
-- out: ranks INTEGER[] (ascending), n_orders. Too many to count: an error, or a row of
--      NULLs
create or replace macro custseg.grown_sets(
    plan, frequent_candidates, blocks,
    max_candidates := 10_000_000, on_limit := 'error'
) as table
with plan_row as materialized (
    select
        min_orders,
        longest,
        case when method = 'dense' then 2 else 3 end as counted_length,
    from query_table(plan)
),
growing_sets as materialized (
    from query_table(frequent_candidates)
    where (select longest > counted_length from plan_row)
),
growing_pairs as materialized (
    select first, shorter_pair as pair from growing_sets
    union
    select first, longer_pair from growing_sets
),
pair_parts as materialized (
    select first, pair, block, bits
    from query_table(blocks)
    inner join growing_pairs using (pair)
),
all_blocks as (
    select pair, unnest(range(n_blocks)) as block
    from growing_pairs
    inner join (
        select first, max(block) + 1 as n_blocks from pair_parts group by first
    ) using (first)
),
-- whole bitmaps: blocks in a row, 32 by 32, since each is copied as often as others are
-- added
rows_of_blocks as (
    select
        pair,
        block >> 5 as block_row,
        list_reduce(
            list(coalesce(bits::blob, repeat('0', 1024)::bit::blob) order by block asc),
            lambda joined, bits: joined || bits
        ) as bits,
    from all_blocks
    left join pair_parts using (pair, block)
    group by pair, block_row
),
bitmaps as materialized (
    select
        pair,
        list_reduce(
            list(bits order by block_row asc), lambda joined, bits: joined || bits
        )::bit as orders,
    from rows_of_blocks
    group by pair
),
grown as (
    with recursive siblings as (
        select
            case when first = 0 then [second] else [first, second] end as prefix,
            third as last,
            shorter.orders & longer.orders as orders,
            n_orders,
        from growing_sets
        inner join bitmaps as shorter
            on shorter_pair = shorter.pair
        inner join bitmaps as longer
            on longer_pair = longer.pair
        union all
        (
            -- sets that differ in their last item only, each two of them
            with next_count as materialized (
                select
                    coalesce(sum(n_sets * (n_sets - 1) // 2), 0) as n_pairs,
                    max(length) as length,
                from (
                    select count(*) as n_sets, len(prefix) + 1 as length
                    from siblings
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
                from siblings as shorter
                inner join siblings as longer
                    on shorter.prefix = longer.prefix and shorter.last < longer.last
                where (select n_pairs between 1 and max_candidates from next_count)
            ) as longer_sets
            cross join plan_row
            where longer_sets.n_orders >= min_orders
            union all
            -- a row without a set marks where counting stopped
            select null, null, null, n_pairs
            from next_count
            where
                n_pairs > max_candidates
                and custseg.require(
                    on_limit = 'truncate' or n_pairs <= max_candidates,
                    'max_candidates must be at least {}, the number of sets of '
                    || (length + 1) || ' items to count. Raise it or min_support, or '
                    || 'take max_length := ' || length || ' [limit]', n_pairs)
        )
    )
    select prefix, last, n_orders
    from siblings
)
select
    case when prefix is not null then list_append(prefix, last) end as ranks,
    n_orders,
from grown
cross join plan_row
where prefix is null or len(prefix) >= counted_length;
