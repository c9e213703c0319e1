-- How many products each customer bought how often.
create temp table custseg_run_repeat_counts as
from custseg.repeat_counts('temp.main.custseg_run_lines', as_of := $as_of);
