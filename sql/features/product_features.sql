-- product_features(order_features, diversity): with those of products.
-- in:  order_features, diversity as the macro order_features and
--      product_diversity_of_counts give them
-- out: the columns of order_features and of diversity; n_departments, not known yet
create or replace macro custseg.product_features(order_features, diversity) as table
select
    order_rows.*,
    n_products,
    null::bigint as n_departments,
    diversity_rows.* exclude (customer_id, n_products),
from query_table(order_features) as order_rows
inner join query_table(diversity) as diversity_rows
    on order_rows.customer_id = diversity_rows.customer_id;
