-- The size of each segment.
create temp table custseg_run_segment_summary as
select $run_name as run_name, *
from custseg.segment_summary(
    'temp.main.custseg_run_customer_features', 'temp.main.custseg_run_segments'
)
order by segment asc;
