-- How often is frequent.
create temp table custseg_run_mining_limits as
from custseg.mining_limits(
    'temp.main.custseg_run_purchased_items',
    min_support := $min_support, min_count := $min_count, max_length := $max_length
);
