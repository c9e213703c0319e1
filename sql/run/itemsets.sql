-- What is bought together.
create temp table custseg_run_itemsets as
select $run_name as run_name, *
from custseg.itemsets_of_items(
    'temp.main.custseg_run_purchased_items', 'temp.main.custseg_run_item_names',
    min_support := $min_support, min_count := $min_count, max_length := $max_length
)
order by itemset_id asc;
