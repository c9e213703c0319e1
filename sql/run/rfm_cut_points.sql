-- Where the RFM scores change. A refresh keeps them, so that a score goes on to mean
--      the same.
create temp table custseg_run_rfm_cut_points as
select $run_name as run_name, *
from custseg.rfm_cut_points('temp.main.custseg_run_customer_features');
