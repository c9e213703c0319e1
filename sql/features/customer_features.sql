-- customer_features(lines, as_of): one row per customer with a purchase: every feature
--      that the lines' columns allow.
-- in:  lines as order_lines takes them; as_of (default: the midnight after the last
--      order)
-- out: customer_id, the columns of rfm, purchase_frequency, product_diversity and
--      timing, mean_order_value (monetary / orders), department_share MAP(VARCHAR,
--      DOUBLE) (item_share by department, largest first; NULL without departments)
create or replace macro custseg.customer_features(lines, as_of := null) as table
with custseg_orders as materialized (
    from custseg.orders(lines, as_of := as_of)
),
custseg_product_counts as materialized (
    from custseg.product_counts(lines, as_of := as_of)
),
custseg_department_counts as materialized (
    from custseg.department_counts(lines, as_of := as_of)
)
select
    rfm.*,
    frequency.* exclude (customer_id),
    monetary / n_orders as mean_order_value,
    diversity.* exclude (customer_id),
    timing.* exclude (customer_id),
    preferences.department_share,
from custseg.rfm_of_orders('custseg_orders', as_of := as_of) as rfm
inner join custseg.purchase_frequency_of_counts(
    'custseg_orders', 'custseg_product_counts', as_of := as_of
) as frequency
    on rfm.customer_id = frequency.customer_id
inner join custseg.product_diversity_of_counts(
    'custseg_product_counts', 'custseg_department_counts'
) as diversity
    on rfm.customer_id = diversity.customer_id
inner join custseg.timing_of_orders('custseg_orders') as timing
    on rfm.customer_id = timing.customer_id
left join (
    select
        customer_id,
        map_from_entries(
            list((department, item_share) order by department_rank asc)
        ) as department_share,
    from custseg.department_preferences_of_counts('custseg_department_counts')
    group by customer_id
) as preferences
    on rfm.customer_id = preferences.customer_id;
