-- What puts a customer into each segment of a run, in words.
select segment, description, precision, recall
from custseg.decision_rules
where run_name = $run_name
order by segment asc;
