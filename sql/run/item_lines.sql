-- How many purchases there are, and how many of them without an item.
create temp table custseg_run_item_lines as
from custseg.item_lines('temp.main.custseg_run_lines', item := $item);
