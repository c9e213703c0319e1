-- One row per customer and order.
create temp table custseg_run_orders as
from custseg.orders('temp.main.custseg_run_lines', as_of := $as_of);
