-- How much there would be to count for the itemsets.
select * exclude (run_name)
from custseg_run_itemset_plan;
