-- order_lines(lines, ...): the kept order lines in canonical columns; its own output
--      passes through unchanged.
-- in:  lines(customer_id, order_id, product_id; optionally ordered_at, quantity,
--      amount, department, category, product_name, order_number,
--      days_since_prior_order, discount, is_return); since <= ordered_at < as_of;
--      exclude_items (list of product ids); returns 'net' (their amount, whatever its
--      sign, lowers the spend) or 'drop'; duplicates 'keep' or 'drop' (lines of the
--      same customer, order, product, time, quantity and amount); empty_lines
--      (quantity 0 and no amount) 'drop' or 'keep'; time_zone (see to_timestamp)
-- out: customer_id, order_id, product_id, ordered_at TIMESTAMP, quantity and amount
--      DECIMAL(18, 4) (of a return never above 0), department, category,
--      product_name, order_number, days_since_prior_order, discount, is_return BOOLEAN
create or replace macro custseg.order_lines(
    lines, since := null, as_of := null, exclude_items := null, returns := 'net',
    duplicates := 'keep', empty_lines := 'drop', time_zone := null
) as table
select * exclude (left_out)
from custseg.classified_lines(
    lines, since := since, as_of := as_of, exclude_items := exclude_items,
    returns := returns, duplicates := duplicates, empty_lines := empty_lines,
    time_zone := time_zone
)
where left_out is null;
