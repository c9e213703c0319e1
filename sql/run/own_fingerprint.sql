-- The same of the order lines and of the features that the caller brought.
create temp table custseg_run_fingerprint as
select
    lines_read.n_rows + features_read.n_rows as n_rows,
    lines_read.fingerprint || '-' || features_read.fingerprint as fingerprint,
from custseg.fingerprint('temp.main.custseg_run_lines') as lines_read
cross join custseg.fingerprint('temp.main.custseg_run_features') as features_read;
