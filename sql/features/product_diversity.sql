-- product_diversity(lines, as_of): how varied each customer's purchases are.
-- in:  lines as order_lines takes them; as_of (only lines before it count)
-- out: customer_id, n_products (>= 1), n_departments (NULL without departments),
--      entropy (nats, of the shares p of the products in the customer's purchase
--      lines), effective_n (exp(entropy): 1 to n_products), hhi (sum of p^2: 1 /
--      n_products to 1), repeat_share (0 to 1: products with more than one purchase
--      line)
-- source: Shannon (1948); Hill numbers, Hill (1973); Herfindahl-Hirschman index,
-- Hirschman
--      (1964)
create or replace macro custseg.product_diversity(lines, as_of := null) as table
with purchases as not materialized (
    select customer_id, product_id, department
    from custseg.order_lines(lines, as_of := as_of)
    where not is_return
),
product_counts as (
    select customer_id, product_id, count(*) as n_lines
    from purchases
    group by customer_id, product_id
),
-- products bought equally often weigh the same: few terms to sum, in a fixed order
count_frequencies as (
    select customer_id, n_lines, count(*) as n_products
    from product_counts
    group by customer_id, n_lines
),
customer_products as (
    select
        customer_id,
        sum(n_products)::bigint as n_products,
        sum(n_products * n_lines)::bigint as n_lines,
        sum(n_products * n_lines * n_lines)::double as square_sum,
        sum(n_products * n_lines * ln(n_lines) order by n_lines asc) as log_sum,
        sum(n_products) filter (n_lines > 1) as n_repeated,
    from count_frequencies
    group by customer_id
),
customer_departments as (
    select customer_id, nullif(count(department), 0) as n_departments
    from (select distinct customer_id, department from purchases)
    group by customer_id
)
select
    customer_products.customer_id,
    n_products,
    n_departments,
    greatest(ln(n_lines) - log_sum / n_lines, 0) as entropy,
    exp(greatest(ln(n_lines) - log_sum / n_lines, 0)) as effective_n,
    square_sum / (n_lines::double * n_lines) as hhi,
    coalesce(n_repeated, 0)::double / n_products as repeat_share,
from customer_products
inner join customer_departments
    on customer_products.customer_id = customer_departments.customer_id;
