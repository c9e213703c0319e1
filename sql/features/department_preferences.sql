-- department_preferences(lines, as_of): what share of each customer's purchases each
--      department has.
-- in:  lines as order_lines takes them; as_of (only lines before it count). Lines
--      without a department do not count
-- out: customer_id, department, n_items (purchase lines), item_share (0 to 1, of the
--      customer's lines with a department), preference_index (item_share / the
--      department's share of all customers' lines; 1 is average), department_rank (1 is
--      the customer's largest; ties by name)
create or replace macro custseg.department_preferences(lines, as_of := null) as table
with department_counts as (
    select customer_id, department, count(*) as n_items
    from custseg.order_lines(lines, as_of := as_of)
    where not is_return and department is not null
    group by customer_id, department
),
customer_totals as (
    select customer_id, sum(n_items) as n_customer_items
    from department_counts
    group by customer_id
),
department_totals as (
    select
        department,
        sum(n_items) / sum(sum(n_items)) over () as population_share,
    from department_counts
    group by department
)
select
    department_counts.customer_id,
    department_counts.department,
    n_items,
    n_items / n_customer_items as item_share,
    n_items / n_customer_items / population_share as preference_index,
    row_number() over (
        partition by department_counts.customer_id
        order by n_items desc, department_counts.department asc
    ) as department_rank,
from department_counts
inner join customer_totals
    on department_counts.customer_id = customer_totals.customer_id
inner join department_totals
    on department_counts.department = department_totals.department;
