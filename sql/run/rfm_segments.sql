-- Every customer's RFM segment, by the cut-points and the names.
create temp table custseg_run_rfm_segments as
select $run_name as run_name, *
from custseg.rfm_segments(
    'temp.main.custseg_run_customer_features', 'temp.main.custseg_run_rfm_cut_points',
    'temp.main.custseg_run_rfm_names'
)
order by customer_id asc;
