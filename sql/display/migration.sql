-- The moves to show of the latest refresh of a run.
select from_segment, to_segment, n_customers, share
from custseg.migrations
where
    run_name = $run_name
    and run_id = (select max(run_id) from custseg.runs where run_name = $run_name)
    and from_segment is distinct from to_segment
order by n_customers desc, from_segment asc nulls last, to_segment asc nulls last
limit $n;
