-- itemset_plan_of_rows(rows, limits, item_lines, max_pairs): how itemsets are counted,
--      and how much there is to count.
-- in:  rows, limits and item_lines as mined_rows, mining_limits and item_lines give
--      them; max_pairs >= 1: the most pairs to count, an error if there are more
-- out: as itemset_plan
create or replace macro custseg.itemset_plan_of_rows(
    rows, limits, item_lines, max_pairs := 10_000_000_000
) as table
with basket_sizes as (
    select order_key, count(*) as size
    from query_table(rows)
    group by order_key
),
sizes as materialized (
    select
        limits.*,
        count(*) as n_baskets,
        coalesce(sum(size), 0)::bigint as n_rows,
        coalesce(max(size), 0) as largest_basket,
        case
            when any_value(longest) < 2 then 0
            else coalesce(sum(size * (size - 1) // 2), 0)
        end::bigint as n_pairs,
    from query_table(limits) as limits
    left join basket_sizes on true
    group by all
),
rank_range as (
    select coalesce(max(rank), 0) as n_items
    from query_table(rows)
),
-- nanoseconds, as measured: a pair takes 60, and 100 for its bit where sets are longer;
-- a row of a bitmap over all orders 40; to compare two bitmaps 2.5 per byte, once for
-- all pairs and about four times as often for longer sets
costs as (
    select
        n_pairs * case when longest > 2 then 160.0 else 60.0 end as sparse,
        n_rows * 40.0 + n_items * (n_items - 1.0) / 2 * n_baskets / 8 * 2.5
            * case when longest > 2 then 4 else 1 end as dense,
    from sizes
    cross join rank_range
),
-- from here on only if there are too many: what would they be at 2, 4, .. times the
-- least count?
surplus_rows as materialized (
    select order_key, rank
    from query_table(rows)
    where (select n_pairs > max_pairs from sizes)
),
rank_counts as (
    select rank, count(*) as n_rows
    from surplus_rows
    group by rank
),
smaller_baskets as (
    select tried.min_orders, order_key, count(*) as size
    from surplus_rows
    inner join rank_counts using (rank)
    inner join (
        select unnest(list_transform(range(1, 21), lambda power: min_orders << power))
            as min_orders
        from sizes
    ) as tried
        on rank_counts.n_rows >= tried.min_orders
    group by tried.min_orders, order_key
),
fitting_counts as (
    select min_orders, sum(size * (size - 1) // 2) as n_pairs
    from smaller_baskets
    group by min_orders
    having sum(size * (size - 1) // 2) <= max_pairs
)
select
    method,
    n_orders,
    min_orders,
    longest,
    n_lines,
    n_lines_without_item,
    n_incomplete_orders,
    n_items,
    n_rows,
    largest_basket,
    n_pairs,
from (
    select
        *,
        case when dense < sparse and n_baskets < 1 << 28 then 'dense' else 'sparse' end
            as method,
    from sizes
    cross join rank_range
    cross join costs
    cross join query_table(item_lines)
)
where custseg.require(n_pairs <= max_pairs,
    'max_pairs must be at least {}, the number of pairs in all orders (the largest '
    || 'holds ' || largest_basket || ' of the items). Raise it, or take '
    || coalesce(
        'min_count := ' || (select min(min_orders) from fitting_counts) || ' or ',
        ''
    ) || 'max_length := 1 [limit]', n_pairs);
