-- repeat_counts(lines, as_of): how many products each customer bought how often, which
--      is all that features need to know of them.
-- in:  lines as order_lines takes them; as_of (only lines before it count)
-- out: customer_id, n_lines (purchase lines of a product, >= 1), n_products (>= 1)
create or replace macro custseg.repeat_counts(lines, as_of := null) as table
select customer_id, n_lines, count(*) as n_products
from custseg.product_counts(lines, as_of := as_of)
group by customer_id, n_lines;
