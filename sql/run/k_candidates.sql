-- What speaks for and against each number of segments.
create temp table custseg_run_k_candidates as
with custseg_candidates as (
    select unnest(made, recursive := false) as candidate
    from temp.main.custseg_run_made
)
select $run_name as run_name, * exclude (model)
from custseg.judged_candidates(
    'temp.main.custseg_run_vectors', 'custseg_candidates'
);
