-- product_counts(lines, as_of): how often each customer bought each product.
-- in:  lines as order_lines takes them; as_of (only lines before it count)
-- out: customer_id, product_id, n_lines (purchase lines, >= 1)
create or replace macro custseg.product_counts(lines, as_of := null) as table
select customer_id, product_id, count(*) as n_lines
from custseg.order_lines(lines, as_of := as_of)
where not is_return
group by customer_id, product_id;
