-- What is bought together.
create temp table custseg_run_itemsets as
select $run_name as run_name, *
from custseg.frequent_itemsets(
    'temp.main.custseg_run_lines',
    min_support := $min_support, min_count := $min_count, max_length := $max_length,
    item := $item
)
order by itemset_id asc;
