-- unrelated_itemsets(itemsets, item_levels): frequent itemsets without those that hold
--      an item together with one of its ancestors: a product is always bought with its
--      own category.
-- in:  itemsets as frequent_itemsets gives them of item_levels (item := 'item')
-- out: the columns of itemsets; itemset_id, is_closed and is_maximal among those left
create or replace macro custseg.unrelated_itemsets(itemsets, item_levels) as table
with custseg_itemsets as materialized (
    from query_table(itemsets)
),
custseg_ancestors as materialized (
    select item, list_distinct(flatten(list(ancestors))) as ancestors
    from (
        select distinct item, ancestors
        from query_table(item_levels)
    )
    group by item
),
related_sets as (
    select distinct itemset_id
    from (
        select itemset_id, items, unnest(items) as item
        from custseg_itemsets
        where length >= 2
    )
    inner join custseg_ancestors using (item)
    where list_has_any(items, ancestors)
),
kept_sets as materialized (
    from custseg_itemsets
    anti join related_sets using (itemset_id)
),
-- the most frequent of the sets with one more item, for each set
supersets as (
    select items, max(support_count) as most_orders
    from (
        select
            list_concat(items[:left_out - 1], items[left_out + 1:]) as items,
            support_count,
        from (
            select items, support_count, unnest(range(1, length + 1)) as left_out
            from kept_sets
            where length >= 2
        )
    )
    group by items
)
select kept_sets.* replace (
    row_number() over (order by itemset_id asc) as itemset_id,
    case
        when most_orders = support_count then false
        when is_maximal is not null or most_orders is not null then true
    end as is_closed,
    case
        when most_orders is not null then false
        when is_maximal is not null then true
    end as is_maximal
)
from kept_sets
left join supersets using (items);
