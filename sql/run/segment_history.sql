-- This run's assignments, to be kept beside those of earlier runs.
create temp table custseg_run_segment_history as
select $run_id::bigint as run_id, customer_id, segment
from custseg_run_segments
order by customer_id asc;
