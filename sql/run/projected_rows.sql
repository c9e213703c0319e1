-- What orders hold of their items.
create temp table custseg_run_projected_rows as
with custseg_exact_rows as not materialized (
    from custseg.exact_rows(
        'temp.main.custseg_run_itemset_plan', 'temp.main.custseg_run_mined_rows',
        'temp.main.custseg_run_pair_counts'
    )
)
from custseg.projected_rows(
    'temp.main.custseg_run_projected_pairs', 'custseg_exact_rows'
);
