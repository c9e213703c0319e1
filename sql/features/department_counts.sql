-- department_counts(lines, as_of): how often each customer bought in each department.
-- in:  lines as order_lines takes them; as_of (only lines before it count). Lines
--      without a department do not count
-- out: customer_id, department, n_items (purchase lines, >= 1)
create or replace macro custseg.department_counts(lines, as_of := null) as table
select customer_id, department, count(*) as n_items
from custseg.order_lines(lines, as_of := as_of)
where not is_return and department is not null
group by customer_id, department;
