-- wide: lines that name their customer and their order.
-- in:  custseg_source_priced_lines
-- out: the same
create temp view custseg_source_order_lines as
from temp.main.custseg_source_priced_lines;
