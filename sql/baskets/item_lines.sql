-- item_lines(lines, item): how many lines there are to mine, and how many are without
--      an item: those are in no basket.
-- in:  lines and item as purchases takes them
-- out: one row: n_lines (purchases with an order), n_lines_without_item (of them)
create or replace macro custseg.item_lines(lines, item := 'product_id') as table
select count(*) as n_lines, count(*) - count(item_id) as n_lines_without_item
from custseg.purchases(lines, item := item);
