-- One row per customer with a purchase: the features that are of orders. Joined one
--      after another, families take less memory than at once.
create temp table custseg_run_order_features as
from custseg.order_features(
    'temp.main.custseg_run_rfm', 'temp.main.custseg_run_purchase_frequency'
);
