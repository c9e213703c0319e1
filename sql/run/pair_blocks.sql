-- The orders of each pair as a bitmap over them, in blocks.
create temp table custseg_run_pair_blocks as
from custseg.pair_blocks(
    'temp.main.custseg_run_projected_pairs', 'temp.main.custseg_run_projected_rows',
    'temp.main.custseg_run_numbered_orders'
);
