-- One row per customer with a purchase: those of products beside them.
create temp table custseg_run_product_features as
from custseg.product_features(
    'temp.main.custseg_run_order_features', 'temp.main.custseg_run_product_diversity'
);
