-- department_preferences_of_counts(department_counts): department_preferences, from
--      what was counted before.
-- in:  department_counts as the macro of this name gives them
-- out: see department_preferences
create or replace macro custseg.department_preferences_of_counts(
    department_counts
) as table
with counted_departments as (
    from query_table(department_counts)
),
customer_totals as (
    select customer_id, sum(n_items) as n_customer_items
    from counted_departments
    group by customer_id
),
department_totals as (
    select
        department,
        sum(n_items) / sum(sum(n_items)) over () as population_share,
    from counted_departments
    group by department
)
select
    counted_departments.customer_id,
    counted_departments.department,
    n_items,
    n_items / n_customer_items as item_share,
    n_items / n_customer_items / population_share as preference_index,
    row_number() over (
        partition by counted_departments.customer_id
        order by n_items desc, counted_departments.department asc
    ) as department_rank,
from counted_departments
inner join customer_totals
    on counted_departments.customer_id = customer_totals.customer_id
inner join department_totals
    on counted_departments.department = department_totals.department;
