-- The longer sets that grow from them.
create temp table custseg_run_grown_sets as
from custseg.grown_sets(
    'temp.main.custseg_run_itemset_plan', 'temp.main.custseg_run_frequent_candidates',
    'temp.main.custseg_run_pair_blocks',
    max_candidates := $max_candidates, on_limit := $on_limit
);
