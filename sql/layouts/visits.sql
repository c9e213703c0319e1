-- visits: lines that name no order: what a customer bought on one day, by the shop's
--      clock, is one.
-- in:  custseg_source_priced_lines, with time_zone as to_timestamp takes it
-- out: order_id VARCHAR, customer and day; NULL where either is
create temp view custseg_source_order_lines as
select
    * replace (
        customer_id::varchar || ' '
            || custseg.to_timestamp(ordered_at, 'ordered_at', time_zone)::date::varchar
            as order_id
    ),
from temp.main.custseg_source_priced_lines;
