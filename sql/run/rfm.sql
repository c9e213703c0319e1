-- Recency, frequency and monetary value of each customer.
create temp table custseg_run_rfm as
from custseg.rfm_of_orders('temp.main.custseg_run_orders', as_of := $as_of);
