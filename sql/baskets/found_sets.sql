-- found_sets(plan, exact_rows, frequent_pairs, ...): all frequent sets.
-- in:  plan, exact_rows, frequent_pairs, candidates, frequent_candidates and grown_sets
--      as the macros of these names give them (plan: itemset_plan_of_rows, candidates:
--      candidate_sets)
-- out: ranks INTEGER[] (of the items, ascending), n_orders, is_truncated BOOLEAN (the
--      same in every row: there are longer candidates, which were left uncounted)
create or replace macro custseg.found_sets(
    plan, exact_rows, frequent_pairs, candidates, frequent_candidates, grown_sets
) as table
with longer_sets as materialized (
    from query_table(grown_sets)
),
sets as (
    select [rank] as ranks, count(*) as n_orders
    from query_table(exact_rows)
    group by rank
    having count(*) >= (select min_orders from query_table(plan))
    union all
    select [first, second], n_orders
    from query_table(frequent_pairs)
    union all
    select
        case when first = 0 then [second, third] else [first, second, third] end,
        n_orders,
    from query_table(frequent_candidates)
    union all
    from longer_sets
    where ranks is not null
)
select
    ranks,
    n_orders,
    exists (from longer_sets where ranks is null)
        or exists (from query_table(candidates) where first is null) as is_truncated,
from sets;
