-- When each customer buys.
create temp table custseg_run_timing as
from custseg.timing_of_orders('temp.main.custseg_run_orders');
