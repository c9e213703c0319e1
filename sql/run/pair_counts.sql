-- How many orders hold each two items.
create temp table custseg_run_pair_counts as
from custseg.pair_counts(
    'temp.main.custseg_run_mined_rows', 'temp.main.custseg_run_itemset_plan'
);
