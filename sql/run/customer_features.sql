-- One row per customer with a purchase, by customer. Sorting what is joined already
--      takes less memory than joining and sorting at once.
create temp table custseg_run_customer_features as
from temp.main.custseg_run_joined_features
order by customer_id asc;
