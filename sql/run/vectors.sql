-- The vectors that are clustered, one per customer.
create temp table custseg_run_vectors as
select customer_id, features
from custseg.apply_transform(
    'temp.main.custseg_run_customer_features',
    (select transform from custseg_run_transform)
);
