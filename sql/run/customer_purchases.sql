-- Who bought which item, in which order, and at what price.
create temp table custseg_run_customer_purchases as
select customer_id, order_id, item_id, quantity, amount, category
from custseg.customer_purchases('temp.main.custseg_run_lines', item := $item);
