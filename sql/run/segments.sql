-- The segment of every customer: with the distance to its centre, on the model's scale,
--      and of a mixture the probability.
create temp table custseg_run_segments as
select
    $run_name as run_name,
    customer_id,
    segment,
    custseg.distances(model, features)[segment + 1] as distance,
    case when model.algorithm = 'gmm'
        then custseg.probabilities(model, features)[segment + 1]
    end as probability,
from (
    select *, custseg.assign(model, features) as segment
    from custseg_run_vectors
    cross join custseg_run_model
)
order by customer_id asc;
