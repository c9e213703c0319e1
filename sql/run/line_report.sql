-- What was kept and what was left out, and why.
create temp table custseg_run_line_report as
from custseg.line_report('temp.main.custseg_run_lines');
