-- Sets that may be frequent, because all their pairs are.
create temp table custseg_run_candidate_sets as
from custseg.candidate_sets(
    'temp.main.custseg_run_itemset_plan', 'temp.main.custseg_run_mined_items',
    'temp.main.custseg_run_frequent_pairs',
    max_candidates := $max_candidates, on_limit := $on_limit
);
