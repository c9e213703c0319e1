-- product_features(order_features, diversity, shares): with those of products.
-- in:  order_features, diversity, shares as the macro order_features,
--      product_diversity_of_counts and department_shares_of_counts give them
-- out: the columns of order_features, of diversity, n_departments, department_share
create or replace macro custseg.product_features(
    order_features, diversity, shares
) as table
select
    order_rows.*,
    n_products,
    cardinality(department_share)::bigint as n_departments,
    diversity_rows.* exclude (customer_id, n_products),
    department_share,
from query_table(order_features) as order_rows
inner join query_table(diversity) as diversity_rows
    on order_rows.customer_id = diversity_rows.customer_id
left join query_table(shares) as share_rows
    on order_rows.customer_id = share_rows.customer_id;
