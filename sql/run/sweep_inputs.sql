-- The customers whom numbers of segments are tried on, and how.
from custseg.sweep_inputs(
    'temp.main.custseg_run_vectors', range(1, 11),
    [$algorithm], [$covariance_type], $seed, 10
);
