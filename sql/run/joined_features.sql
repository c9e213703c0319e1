-- One row per customer with a purchase: all families of features. Maps come last: they
--      are what takes most, and so are not carried through another join.
create temp table custseg_run_joined_features as
select $run_name as run_name, *
from custseg.joined_features(
    'temp.main.custseg_run_timed_features', 'temp.main.custseg_run_department_shares'
);
