-- The candidates that enough orders hold.
create temp table custseg_run_frequent_candidates as
from custseg.frequent_candidates(
    'temp.main.custseg_run_itemset_plan', 'temp.main.custseg_run_candidate_sets',
    'temp.main.custseg_run_pair_blocks'
);
