-- The segment of every customer and the distance to its centre, on the model's scale.
create temp table custseg_run_segments as
select
    $run_name as run_name,
    customer_id,
    custseg.assign(model, features) as segment,
    list_min(custseg.distances(model, features)) as distance,
    null::double as probability,
from custseg_run_vectors
cross join custseg_run_model
order by customer_id asc;
