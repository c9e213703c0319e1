-- with_hierarchy(lines, hierarchy): order lines with the categories of their products.
-- in:  lines(product_id, ...); hierarchy(product_id, each once, and the columns to add,
--      such as category and department)
-- out: the columns of lines and those of hierarchy; of a column that both have, that of
--      hierarchy. A product that hierarchy does not have gets NULLs
create or replace macro custseg.with_hierarchy(lines, hierarchy) as table
with custseg_lines as not materialized (
    from query_table(lines)
),
custseg_hierarchy as materialized (
    from query_table(hierarchy)
),
custseg_check as (
    select count(*) as n_products
    from custseg_hierarchy
    having custseg.require(count(*) = count(distinct product_id),
        'hierarchy must have each product_id once, got {} rows that repeat one or have '
        || 'none [repeated-rows]', count(*) - count(distinct product_id))
)
select custseg_lines.*, custseg_hierarchy.* exclude (product_id)
from custseg_lines
left join custseg_hierarchy
    on custseg_lines.product_id = custseg_hierarchy.product_id
cross join custseg_check
where n_products >= 0;
