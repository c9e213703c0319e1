-- The items that enough orders hold two by two.
create temp table custseg_run_frequent_pairs as
with custseg_exact_rows as not materialized (
    from custseg.exact_rows(
        'temp.main.custseg_run_itemset_plan', 'temp.main.custseg_run_mined_rows',
        'temp.main.custseg_run_pair_counts'
    )
)
from custseg.frequent_pairs(
    'temp.main.custseg_run_itemset_plan', 'temp.main.custseg_run_mined_items',
    'custseg_exact_rows', 'temp.main.custseg_run_pair_counts'
);
