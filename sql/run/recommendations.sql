-- What to offer to each customer.
create temp table custseg_run_recommendations as
select $run_name as run_name, *
from custseg.recommendations(
    'temp.main.custseg_run_customer_purchases', 'temp.main.custseg_run_offer_rules',
    n := $n_recommendations, item := 'item_id', run_name := $run_name
)
order by customer_id asc, kind asc, rank asc;
