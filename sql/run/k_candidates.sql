-- What speaks for and against each number of segments.
create temp table custseg_run_k_candidates as
select $run_name as run_name, * exclude (model)
from custseg.k_sweep(
    'temp.main.custseg_run_vectors',
    algorithms := [$algorithm], covariance_types := [$covariance_type], seed := $seed
);
