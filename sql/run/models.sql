-- The fitted model, under the run's name.
create temp table custseg_run_models as
select
    $run_name as name,
    $run_id::bigint as run_id,
    $created_at::timestamp as created_at,
    model,
from custseg_run_model;
