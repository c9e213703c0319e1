-- product_diversity_of_counts(repeat_counts): product_diversity without departments, of
--      what was counted before.
-- in:  repeat_counts as the macro of this name gives them
-- out: see product_diversity
-- source: Shannon (1948); Hill numbers, Hill (1973); Herfindahl-Hirschman index,
-- Hirschman
--      (1964)
create or replace macro custseg.product_diversity_of_counts(repeat_counts) as table
-- products bought equally often weigh the same: few terms to sum, in a fixed order
with customer_products as (
    select
        customer_id,
        sum(n_products)::bigint as n_products,
        sum(n_products * n_lines)::bigint as n_lines,
        sum(n_products * n_lines * n_lines)::double as square_sum,
        sum(n_products * n_lines * ln(n_lines) order by n_lines asc) as log_sum,
        sum(n_products) filter (n_lines > 1) as n_repeated,
    from query_table(repeat_counts)
    group by customer_id
)
select
    customer_id,
    n_products,
    greatest(ln(n_lines) - log_sum / n_lines, 0) as entropy,
    exp(greatest(ln(n_lines) - log_sum / n_lines, 0)) as effective_n,
    square_sum / (n_lines::double * n_lines) as hhi,
    coalesce(n_repeated, 0)::double / n_products as repeat_share,
from customer_products;
