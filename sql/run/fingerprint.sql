-- What was read, in one number, so that a refresh knows whether anything has changed.
create temp table custseg_run_fingerprint as
from custseg.fingerprint('temp.main.custseg_run_lines');
