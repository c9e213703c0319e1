-- The vectors that are clustered, one per customer: a view, so that they take no memory
--      beside the array that is fitted.
create temp view custseg_run_vectors as
select customer_id, features
from custseg.apply_transform(
    'temp.main.custseg_run_customer_features',
    (select transform from custseg_run_transform)
);
