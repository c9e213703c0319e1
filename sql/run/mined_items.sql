-- The items that may be frequent.
create temp table custseg_run_mined_items as
from custseg.mined_items(
    'temp.main.custseg_run_purchased_items', 'temp.main.custseg_run_mining_limits',
    containing := $containing
);
