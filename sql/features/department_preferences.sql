-- department_preferences(lines, as_of): what share of each customer's purchases each
--      department has.
-- in:  lines as order_lines takes them; as_of (only lines before it count). Lines
--      without a department do not count
-- out: customer_id, department, n_items (purchase lines), item_share (0 to 1, of the
--      customer's lines with a department), preference_index (item_share / the
--      department's share of all customers' lines; 1 is average), department_rank (1 is
--      the customer's largest; ties by name)
create or replace macro custseg.department_preferences(lines, as_of := null) as table
with custseg_department_counts as (
    from custseg.department_counts(lines, as_of := as_of)
)
from custseg.department_preferences_of_counts('custseg_department_counts');
