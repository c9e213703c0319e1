-- What became of the lines of a run's source, by reason.
select is_kept, reason, n_lines, amount
from custseg.line_counts
where run_name = $run_name
order by is_kept desc, n_lines desc, reason asc;
