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
custseg_repeat_counts as materialized (
    from custseg.repeat_counts(lines, as_of := as_of)
),
custseg_department_counts as (
    from custseg.department_counts(lines, as_of := as_of)
),
custseg_rfm as (
    from custseg.rfm_of_orders('custseg_orders', as_of := as_of)
),
custseg_gaps as (
    from custseg.purchase_frequency_of_counts(
        'custseg_orders', 'custseg_repeat_counts', as_of := as_of
    )
),
custseg_diversity as (
    from custseg.product_diversity_of_counts('custseg_repeat_counts')
),
custseg_times as (
    from custseg.timing_of_orders('custseg_orders')
),
custseg_shares as (
    from custseg.department_shares_of_counts('custseg_department_counts')
),
custseg_order_features as (
    from custseg.order_features('custseg_rfm', 'custseg_gaps')
),
custseg_product_features as (
    from custseg.product_features('custseg_order_features', 'custseg_diversity')
),
custseg_timed_features as (
    from custseg.timed_features('custseg_product_features', 'custseg_times')
)
from custseg.joined_features('custseg_timed_features', 'custseg_shares');
