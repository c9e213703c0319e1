-- purchased_items(lines, item): the item of every purchase line.
-- in:  lines and item as purchases takes them
-- out: order_id, item_id, once per line; no returns, no NULLs
create or replace macro custseg.purchased_items(lines, item := 'product_id') as table
select order_id, item_id
from custseg.purchases(lines, item := item)
where item_id is not null;
