-- What and when each customer buys, but for the items.
create temp table custseg_run_preference_counts as
from custseg.preference_counts('temp.main.custseg_run_lines');
