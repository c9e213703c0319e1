-- How the itemsets are counted, and how much there is to count.
create temp table custseg_run_itemset_plan as
select $run_name as run_name, *
from custseg.itemset_plan_of_rows(
    'temp.main.custseg_run_mined_rows', 'temp.main.custseg_run_mining_limits',
    'temp.main.custseg_run_item_lines', max_pairs := $max_pairs
);
