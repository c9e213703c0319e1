-- One row per customer with a purchase: those of times beside them.
create temp table custseg_run_timed_features as
from custseg.timed_features(
    'temp.main.custseg_run_product_features', 'temp.main.custseg_run_timing'
);
