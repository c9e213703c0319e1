-- keyed_itemsets(itemsets): frequent itemsets, each with a number that it is known by.
-- in:  itemsets as association_rules takes them
-- out: items, item_names, length, item (of single items VARCHAR, else NULL),
--      support_count, place (by items, from 1), item_keys UBIGINT[], set_key UBIGINT
--      (the XOR of its items' keys: of two disjoint sets, it is the key of both
--      together); the same in every row: n_orders, n_items (that are frequent),
--      representativity
create or replace macro custseg.keyed_itemsets(itemsets) as table
with source_itemsets as materialized (
    select
        items,
        item_names,
        support,
        support_count,
        n_orders,
        n_items,
        representativity,
        case when len(items) = 1 then items[1]::varchar end as item,
    from (
        select
            null::varchar[] as item_names,
            null::bigint as n_orders,
            null::bigint as n_items,
            null::double as representativity,
        where false
        union all by name
        from query_table(itemsets)
    )
),
totals as (
    select
        coalesce(max(n_orders), round(max(support_count / support)))::bigint
            as n_orders,
        coalesce(max(n_items), count(item)) as n_items,
        coalesce(max(representativity), 1) as representativity,
    from source_itemsets
),
keyed_sets as materialized (
    select
        items,
        item_names,
        len(items) as length,
        item,
        support_count,
        (row_number() over (order by items asc))::integer as place,
        -- with a word beside it, since the hash of the number 0 is 0
        list_transform(items, lambda item: hash(item, 'item')) as item_keys,
        list_reduce(
            item_keys, lambda key, other: xor(key, other), 0::ubigint
        ) as set_key,
    from source_itemsets
),
key_check as (
    select count(*) as n_sets
    from keyed_sets
    cross join totals
    having custseg.require(count(*) = count(distinct set_key),
        'itemsets must hold each set once, got one more than once among {}. Of '
        || 'custseg.itemsets take the rows of one run [repeated-rows]', count(*))
    and custseg.require(
        coalesce(bool_and(coalesce(len(items) >= 1, false)), true),
        'itemsets must hold at least one item each, got {} without any [value]',
        count(*) filter (coalesce(len(items), 0) = 0))
    and custseg.require(
        coalesce(bool_and(representativity between 0 and 1), true),
        'itemsets must have a representativity from 0 to 1, got {} [value]',
        max(representativity))
    and custseg.require(
        coalesce(bool_and(coalesce(support_count between 1 and n_orders, false)), true),
        'itemsets must have a support_count from 1 to n_orders, got {} [value]',
        [min(support_count), max(support_count), any_value(n_orders)])
)
select keyed_sets.*, n_orders, n_items, representativity
from keyed_sets
cross join totals
cross join key_check
where n_sets > 0;
