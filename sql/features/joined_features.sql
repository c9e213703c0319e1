-- joined_features(product_features, times): customer_features, from its parts.
-- in:  product_features, times as the macro product_features and timing give them
-- out: see customer_features
create or replace macro custseg.joined_features(product_features, times) as table
select
    product_rows.* exclude (department_share),
    time_rows.* exclude (customer_id),
    department_share,
from query_table(product_features) as product_rows
inner join query_table(times) as time_rows
    on product_rows.customer_id = time_rows.customer_id;
