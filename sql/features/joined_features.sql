-- joined_features(rfm, gaps, diversity, times, shares): customer_features, from its
--      families.
-- in:  rfm, gaps, diversity, times, shares as rfm, purchase_frequency,
--      product_diversity_of_counts, timing and department_shares_of_counts give them
-- out: see customer_features
create or replace macro custseg.joined_features(
    rfm, gaps, diversity, times, shares
) as table
select
    rfm_rows.*,
    gap_rows.* exclude (customer_id),
    monetary / n_orders as mean_order_value,
    n_products,
    cardinality(department_share)::bigint as n_departments,
    diversity_rows.* exclude (customer_id, n_products),
    time_rows.* exclude (customer_id),
    department_share,
from query_table(rfm) as rfm_rows
inner join query_table(gaps) as gap_rows
    on rfm_rows.customer_id = gap_rows.customer_id
inner join query_table(diversity) as diversity_rows
    on rfm_rows.customer_id = diversity_rows.customer_id
inner join query_table(times) as time_rows
    on rfm_rows.customer_id = time_rows.customer_id
left join query_table(shares) as share_rows
    on rfm_rows.customer_id = share_rows.customer_id;
