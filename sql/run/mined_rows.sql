-- Which of them each order holds.
create temp table custseg_run_mined_rows as
from custseg.mined_rows(
    'temp.main.custseg_run_purchased_items', 'temp.main.custseg_run_mining_limits',
    'temp.main.custseg_run_mined_items'
);
