-- What is bought together.
create temp table custseg_run_itemsets as
with custseg_exact_rows as not materialized (
    from custseg.exact_rows(
        'temp.main.custseg_run_itemset_plan', 'temp.main.custseg_run_mined_rows',
        'temp.main.custseg_run_pair_counts'
    )
),
custseg_sets as materialized (
    from custseg.found_sets(
        'temp.main.custseg_run_itemset_plan', 'custseg_exact_rows',
        'temp.main.custseg_run_frequent_pairs',
        'temp.main.custseg_run_candidate_sets',
        'temp.main.custseg_run_frequent_candidates',
        'temp.main.custseg_run_grown_sets'
    )
)
select $run_name as run_name, *
from custseg.named_itemsets(
    'custseg_sets', 'temp.main.custseg_run_itemset_plan',
    'temp.main.custseg_run_mined_items', 'temp.main.custseg_run_item_names'
)
order by itemset_id asc;
