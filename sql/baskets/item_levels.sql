-- item_levels(lines, levels): what orders hold on every level, to be mined together:
--      each product, its category, its department.
-- in:  lines(order_id, the columns that levels names; product_name, quantity, amount,
--      is_return and left_out where they exist); levels: names of columns, from fine to
--      coarse
-- out: order_id, item STRUCT(level VARCHAR, id VARCHAR), item_name (of products
--      product_name, else the id), ancestors (items of the coarser levels); once per
--      order, without NULLs
-- source: generalized association rules: Srikant & Agrawal (1995)
create or replace macro custseg.item_levels(
    lines, levels := ['product_id', 'category', 'department']
) as table
with source_lines as not materialized (
    from query_table(lines)
),
optional_columns as (
    select
        null as product_name, null as quantity, null as amount, null as is_return,
        null as left_out
    where false
),
named_lines as not materialized (
    from optional_columns
    union all by name
    from source_lines
),
purchase_lines as not materialized (
    select
        order_id as custseg_order,
        hash(*columns(lambda name:
            list_contains(levels, custseg.folded(name))
            or custseg.folded(name) = 'product_name'
        )) as custseg_key,
        columns(lambda name:
            list_contains(levels, custseg.folded(name))
            or custseg.folded(name) = 'product_name'
        )::varchar,
    from named_lines
    where
        order_id is not null
        and left_out is null
        and custseg.line_kind(
            custseg.to_boolean(is_return, 'is_return'), quantity, amount
        ) = 'purchase'
),
-- what is on many lines is taken apart once
different_lines as materialized (
    select * exclude (custseg_order)
    from purchase_lines
    qualify row_number() over (partition by custseg_key) = 1
),
-- values by the names of their columns
line_values as (
    select
        custseg_key,
        map_from_entries(list_transform(
            map_entries(try_cast(different_lines as map(varchar, varchar))),
            lambda entry: {'k': custseg.folded(entry.key), 'v': entry.value}
        )) as by_name,
    from different_lines
),
line_items as (
    select
        custseg_key,
        nullif(trim(by_name['product_name']), '') as product_name,
        list_filter(
            list_transform(levels, lambda level: {
                'level': level, 'id': nullif(trim(by_name[level]), '')
            }),
            lambda item: item.id is not null
        ) as items,
    from line_values
    where custseg.require(list_has_all(map_keys(by_name), levels),
        'levels must be columns of the lines, got {} [option]', levels)
),
items_of_lines as materialized (
    select
        custseg_key,
        items[place] as item,
        case
            when items[place].level = 'product_id' then product_name
            else items[place].id
        end as item_name,
        items[place + 1:] as ancestors,
    from (
        select *, unnest(range(1, len(items) + 1)) as place
        from line_items
    )
),
numbered_items as materialized (
    select
        item,
        min(item_name) as item_name,
        list_sort(list_distinct(flatten(list(ancestors))), 'asc') as ancestors,
        row_number() over (order by item asc) as item_number,
    from items_of_lines
    group by item
),
numbers_of_lines as (
    select custseg_key, item_number
    from items_of_lines
    inner join numbered_items using (item)
)
select order_id, item, item_name, ancestors
from (
    select distinct custseg_order as order_id, item_number
    from purchase_lines
    inner join numbers_of_lines using (custseg_key)
)
inner join numbered_items using (item_number);
