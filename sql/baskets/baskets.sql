-- baskets(lines, item): which items each order holds, each once.
-- in:  lines and item as purchases takes them
-- out: order_id, item_id; no returns, no NULLs
create or replace macro custseg.baskets(lines, item := 'product_id') as table
select distinct order_id, item_id
from custseg.purchased_items(lines, item := item);
