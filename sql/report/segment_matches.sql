-- The segments of a run that are not clearly those of the run before.
select segment, previous_segment, distance
from custseg.segment_matches
where run_name = $run_name and not is_clear
order by segment asc;
