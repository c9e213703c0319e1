-- What each segment is like, feature by feature.
create temp table custseg_run_segment_profiles as
select $run_name as run_name, *
from custseg.segment_profiles(
    'temp.main.custseg_run_customer_features', 'temp.main.custseg_run_segments'
)
order by segment asc, distinctiveness_rank asc;
