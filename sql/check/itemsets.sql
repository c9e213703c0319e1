-- Whether every part of an itemset is there, and at least as frequent.
with sets as materialized (
    select list_sort(items, 'asc', 'nulls last') as items, length, support_count
    from custseg.itemsets
    where run_name = $run_name
),
parts as (
    select
        list_concat(items[:place - 1], items[place + 1:]) as items,
        support_count as least_count,
    from (
        select items, support_count, unnest(range(1, length + 1)) as place
        from sets
        where length > 1
    )
)
select
    count(*) as n_checked,
    count(*) filter (coalesce(sets.support_count < parts.least_count, true)) as n_wrong,
from parts
left join sets using (items);
