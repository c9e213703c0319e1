-- What the items are called.
create temp table custseg_run_item_names as
from custseg.item_names('temp.main.custseg_run_lines', item := $item);
