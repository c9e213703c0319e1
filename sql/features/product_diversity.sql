-- product_diversity(lines, as_of): how varied each customer's purchases are.
-- in:  lines as order_lines takes them; as_of (only lines before it count)
-- out: customer_id, n_products (>= 1), n_departments (NULL without departments),
--      entropy (nats, of the shares p of the products in the customer's purchase
--      lines), effective_n (exp(entropy): 1 to n_products), hhi (sum of p^2: 1 /
--      n_products to 1), repeat_share (0 to 1: products with more than one purchase
--      line)
create or replace macro custseg.product_diversity(lines, as_of := null) as table
with custseg_repeat_counts as (
    from custseg.repeat_counts(lines, as_of := as_of)
),
custseg_departments as (
    select customer_id, count(*) as n_departments
    from custseg.department_counts(lines, as_of := as_of)
    group by customer_id
)
select
    diversity.customer_id,
    n_products,
    n_departments,
    diversity.* exclude (customer_id, n_products),
from custseg.product_diversity_of_counts('custseg_repeat_counts') as diversity
left join custseg_departments
    on diversity.customer_id = custseg_departments.customer_id;
