-- How often and how much at a time each customer buys.
create temp table custseg_run_purchase_frequency as
from custseg.purchase_frequency_of_counts(
    'temp.main.custseg_run_orders', 'temp.main.custseg_run_repeat_counts',
    as_of := $as_of
);
