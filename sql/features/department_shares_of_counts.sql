-- department_shares_of_counts(department_counts): the share of each department in each
--      customer's purchases, as one value.
-- in:  department_counts as the macro of this name gives them
-- out: customer_id, department_share MAP(VARCHAR, DOUBLE) (item_share of
--      department_preferences by department, largest first)
create or replace macro custseg.department_shares_of_counts(
    department_counts
) as table
-- by windows, whose rows DuckDB writes to disk where memory is short; the lists of an
-- aggregate it does not
with customer_departments as (
    select
        customer_id,
        list({'less': -n_items, 'department': department}) over (
            partition by customer_id
        ) as departments,
        sum(n_items) over (partition by customer_id) as n_customer_items,
        row_number() over (partition by customer_id) as place,
    from query_table(department_counts)
)
select
    customer_id,
    map_from_entries(list_transform(
        list_sort(departments, 'asc', 'nulls last'),
        lambda of_one: (of_one.department, -of_one.less / n_customer_items)
    )) as department_share,
from customer_departments
where place = 1;
