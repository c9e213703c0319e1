-- What is bought together.
create temp table custseg_run_itemsets as
with custseg_sets as materialized (
    from custseg.itemsets_of_pairs(
        'temp.main.custseg_run_itemset_plan', 'temp.main.custseg_run_mined_items',
        'temp.main.custseg_run_mined_rows', 'temp.main.custseg_run_pair_counts',
        max_candidates := $max_candidates, on_limit := $on_limit
    )
)
select $run_name as run_name, *
from custseg.named_itemsets(
    'custseg_sets', 'temp.main.custseg_run_itemset_plan',
    'temp.main.custseg_run_mined_items', 'temp.main.custseg_run_item_names'
)
order by itemset_id asc;
