-- One row per customer: the features that the caller brought, in the place of those
--      that are computed of order lines.
create temp table custseg_run_customer_features as
select $run_name as run_name, columns(lambda name: lower(name) <> 'run_name')
from custseg_run_features
order by customer_id asc;
