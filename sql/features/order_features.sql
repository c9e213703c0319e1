-- order_features(rfm, gaps): the features that are of orders, from their families.
-- in:  rfm, gaps as rfm and purchase_frequency give them
-- out: their columns, mean_order_value
create or replace macro custseg.order_features(rfm, gaps) as table
select
    rfm_rows.*,
    gap_rows.* exclude (customer_id),
    monetary / n_orders as mean_order_value,
from query_table(rfm) as rfm_rows
inner join query_table(gaps) as gap_rows
    on rfm_rows.customer_id = gap_rows.customer_id;
