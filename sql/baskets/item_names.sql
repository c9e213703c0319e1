-- item_names(lines, item): the name of each item, where lines know one; the first in
--      the alphabet if there are several.
-- in:  lines(the column that item names; item_name, of a product product_name, and
--      left_out where they exist)
-- out: item_id, item_name VARCHAR (never NULL)
create or replace macro custseg.item_names(lines, item := 'product_id') as table
with source_lines as not materialized (
    from query_table(lines)
),
optional_columns as (
    select null as product_name, null as item_name, null as left_out where false
),
named_lines as not materialized (
    from optional_columns
    union all by name
    from source_lines
)
select item_id, trim(min(item_name)) as item_name
from (
    select
        columns(lambda name: custseg.folded(name) = custseg.folded(item)) as item_id,
        coalesce(
            item_name::varchar,
            case when lower(item) = 'product_id' then product_name::varchar end
        ) as item_name,
    from named_lines
    where left_out is null
)
where item_id is not null and item_name is not null
group by item_id
having
    trim(min(item_name)) <> ''
    and custseg.plain_texts();
