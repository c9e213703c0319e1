-- One row per customer with a purchase.
create temp table custseg_run_customer_features as
select $run_name as run_name, *
from custseg.customer_features('temp.main.custseg_run_lines', as_of := $as_of)
order by customer_id asc;
