-- Of how many customers and orders a run would be.
with counted_features as (
    select count(*) as n_customers
    from custseg_run_customer_features
),
vector_lengths as (
    select sum(len(transform)) as n_features
    from custseg_run_transform
),
kept_lines as (
    select
        count(*) as n_lines,
        count(distinct order_id) as n_orders,
        count(distinct product_id) as n_products,
    from custseg_run_lines
    where left_out is null
)
select *, 8 * n_customers * n_features as fit_bytes
from counted_features
cross join kept_lines
cross join vector_lengths;
