-- timed_features(product_features, times): with those of times.
-- in:  product_features, times as the macro product_features and timing give them
-- out: the columns of both
create or replace macro custseg.timed_features(product_features, times) as table
select
    product_rows.*,
    time_rows.* exclude (customer_id),
from query_table(product_features) as product_rows
inner join query_table(times) as time_rows
    on product_rows.customer_id = time_rows.customer_id;
