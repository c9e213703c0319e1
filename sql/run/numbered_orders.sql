-- The orders of each first item, numbered.
create temp table custseg_run_numbered_orders as
from custseg.numbered_orders(
    'temp.main.custseg_run_projected_pairs', 'temp.main.custseg_run_projected_rows'
);
