-- The pairs in them.
create temp table custseg_run_projected_pairs as
from custseg.projected_pairs(
    'temp.main.custseg_run_itemset_plan', 'temp.main.custseg_run_mined_items',
    'temp.main.custseg_run_candidate_sets'
);
