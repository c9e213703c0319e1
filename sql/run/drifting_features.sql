-- What may drift: the features, and how many are in which segment.
create temp view custseg_run_drifting_features as
select columns(lambda name: name <> 'run_name'), segment
from (
    select columns(lambda name: lower(name) <> 'segment')
    from custseg_run_customer_features
)
inner join (
    select customer_id, segment from custseg_run_segments
) using (customer_id);
