-- frequent_pairs(plan, items, exact_rows, pairs): the items that enough orders hold two
--      by two; none in dense data.
-- in:  plan, items, exact_rows and pairs as itemset_plan_of_rows, mined_items,
--      exact_rows and pair_counts give them
-- out: first (rank of the rarer item), second, pair BIGINT (see mined_items), n_orders
create or replace macro custseg.frequent_pairs(plan, items, exact_rows, pairs) as table
with plan_row as materialized (
    select
        min_orders,
        n_pairs > (select coalesce(sum(n_orders), 0) from query_table(pairs))
            and method = 'sparse' and longest >= 2 as has_duplicates,
    from query_table(plan)
),
repeated_rows as materialized (
    from query_table(exact_rows)
    where (select has_duplicates from plan_row)
),
exact_pairs as (
    select pair, n_orders
    from query_table(pairs)
    where not (select has_duplicates from plan_row)
    union all
    select counted_items.base + other_items.rank as pair, count(*) as n_orders
    from repeated_rows as counted_items
    inner join repeated_rows as other_items
        on counted_items.order_key = other_items.order_key
            and other_items.rank < counted_items.rank
    group by pair
)
select (pair - base)::integer as first, rank as second, pair, n_orders
from (
    select pair, n_orders
    from exact_pairs
    where n_orders >= (select min_orders from plan_row)
)
asof join query_table(items) as more_frequent
    on pair > more_frequent.base;
