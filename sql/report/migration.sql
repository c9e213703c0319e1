-- Who moved from which segment to which, up to the latest run of a name.
select from_segment, to_segment, n_customers, share
from custseg.migrations
where
    run_name = $run_name
    and run_id = (select max(run_id) from custseg.runs where run_name = $run_name)
order by from_segment asc nulls last, to_segment asc nulls last;
