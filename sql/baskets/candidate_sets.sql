-- candidate_sets(plan, items, frequent_pairs, max_candidates, on_limit): sets of three
--      items that may be frequent, because all their pairs are; in dense data of any
--      two, beside the item 0, which stands for every order.
-- in:  plan, items and frequent_pairs as itemset_plan_of_rows, mined_items and
--      frequent_pairs give them; max_candidates and on_limit as frequent_itemsets
-- out: first, second, third (ranks, ascending), shorter_pair (first and second),
--      longer_pair (first and third). Too many to count: an error, or a row of NULLs
create or replace macro custseg.candidate_sets(
    plan, items, frequent_pairs, max_candidates := 10_000_000, on_limit := 'error'
) as table
with plan_row as materialized (
    select
        method = 'dense' and longest >= 2 as is_dense,
        method = 'sparse' and longest >= 3 as is_sparse,
        case when method = 'dense' then 1 else 2 end as counted_length,
    from query_table(plan)
    where
        custseg.require(on_limit in ('error', 'truncate'),
            'on_limit must be ''error'' or ''truncate'', got {} [option]', on_limit)
        and custseg.require(coalesce(max_candidates >= 1, false),
            'max_candidates must be at least 1, got {} [option]', max_candidates)
),
pairs as materialized (
    from query_table(frequent_pairs)
),
possible_sets as materialized (
    select
        shorter.first,
        shorter.second,
        longer.second as third,
        shorter.pair as shorter_pair,
        longer.pair as longer_pair,
    from pairs as shorter
    inner join pairs as longer
        on shorter.first = longer.first and shorter.second < longer.second
    semi join pairs as closing
        on shorter.second = closing.first and longer.second = closing.second
    where (select is_sparse from plan_row)
    union all
    select 0, rarer.rank, other.rank, rarer.base, other.base
    from query_table(items) as rarer
    inner join query_table(items) as other
        on rarer.rank < other.rank
    where (select is_dense from plan_row)
),
set_count as materialized (
    select count(*) > max_candidates as is_too_large
    from possible_sets
    cross join plan_row
    having custseg.require(
        on_limit = 'truncate' or count(*) <= max_candidates,
        'max_candidates must be at least {}, the number of sets of '
        || max(counted_length + 1) || ' items to count. Raise it or min_support, or '
        || 'take max_length := ' || max(counted_length) || ' [limit]', count(*))
)
from possible_sets
where not (select is_too_large from set_count)
union all
select null, null, null, null, null
from set_count
where is_too_large;
