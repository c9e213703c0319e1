-- What would become of the source's lines.
select is_kept, reason, n_lines, amount
from custseg_run_line_report;
