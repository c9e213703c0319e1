-- The item of every purchase line.
create temp table custseg_run_purchased_items as
from custseg.purchased_items('temp.main.custseg_run_lines', item := $item);
