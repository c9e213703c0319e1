-- customer_features(lines, as_of): one row per customer with a purchase: every feature
--      that the lines' columns allow.
-- in:  lines as order_lines takes them; as_of (default: the midnight after the last
--      order)
-- out: customer_id, the columns of rfm, purchase_frequency, product_diversity and
--      timing, mean_order_value (monetary / orders), department_share MAP(VARCHAR,
--      DOUBLE) (item_share by department, largest first; NULL without departments)
create or replace macro custseg.customer_features(lines, as_of := null) as table
select
    rfm.*,
    frequency.* exclude (customer_id),
    monetary / n_orders as mean_order_value,
    diversity.* exclude (customer_id),
    timing.* exclude (customer_id),
    preferences.department_share,
from custseg.rfm(lines, as_of := as_of) as rfm
inner join custseg.purchase_frequency(lines, as_of := as_of) as frequency
    on rfm.customer_id = frequency.customer_id
inner join custseg.product_diversity(lines, as_of := as_of) as diversity
    on rfm.customer_id = diversity.customer_id
inner join custseg.timing(lines, as_of := as_of) as timing
    on rfm.customer_id = timing.customer_id
left join (
    select
        customer_id,
        map_from_entries(
            list((department, item_share) order by department_rank asc)
        ) as department_share,
    from custseg.department_preferences(lines, as_of := as_of)
    group by customer_id
) as preferences
    on rfm.customer_id = preferences.customer_id;
