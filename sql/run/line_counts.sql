-- What became of the lines in the latest run of each name, one row per reason.
create or replace view custseg.line_counts as
select run_name, unnest(line_counts, recursive := true)
from (
    select run_name, line_counts
    from custseg.runs
    qualify row_number() over (partition by run_name order by run_id desc) = 1
);
