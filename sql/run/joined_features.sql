-- One row per customer with a purchase: all families of features.
create temp table custseg_run_joined_features as
select $run_name as run_name, *
from custseg.joined_features(
    'temp.main.custseg_run_product_features', 'temp.main.custseg_run_timing'
);
