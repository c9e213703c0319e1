-- timing(lines, as_of): when each customer buys, as shares of their orders.
-- in:  lines as order_lines takes them; as_of (only lines before it count)
-- out: customer_id, monday_share .. sunday_share, weekend_share (Saturday and Sunday),
--      night_share (0 to 6 o'clock), morning_share (6 to 12), afternoon_share (12 to
--      18), evening_share (18 to 24), each 0 to 1. Without dates all are NULL; the
--      hours' shares are NULL too where no order of the shop has a time of day
create or replace macro custseg.timing(lines, as_of := null) as table
with custseg_orders as (
    from custseg.orders(lines, as_of := as_of)
)
from custseg.timing_of_orders('custseg_orders');
