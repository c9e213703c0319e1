-- Every line of the source, judged once; all later steps read it.
create temp table custseg_run_lines as
select columns($line_columns)
from custseg.classified_lines(
    'temp.main.custseg_run_source',
    since := $since, as_of := $as_of, exclude_items := $exclude_items,
    returns := $returns, duplicates := $duplicates, empty_lines := $empty_lines,
    time_zone := $time_zone
);
