-- product_diversity_of_counts(product_counts, department_counts): product_diversity,
--      from what was counted before.
-- in:  product_counts, department_counts as the macros of these names give them
-- out: see product_diversity
-- source: Shannon (1948); Hill numbers, Hill (1973); Herfindahl-Hirschman index,
-- Hirschman
--      (1964)
create or replace macro custseg.product_diversity_of_counts(
    product_counts, department_counts
) as table
with custseg_counted_departments as (
    from query_table(department_counts)
),
counted_products as (
    from query_table(product_counts)
),
-- products bought equally often weigh the same: few terms to sum, in a fixed order
count_frequencies as (
    select customer_id, n_lines, count(*) as n_products
    from counted_products
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
    select customer_id, count(*) as n_departments
    from custseg_counted_departments
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
left join customer_departments
    on customer_products.customer_id = customer_departments.customer_id;
