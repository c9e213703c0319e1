-- The rules to show of each segment of a run.
select
    segment,
    antecedents::varchar[] as antecedents,
    antecedent_names,
    consequents::varchar[] as consequents,
    consequent_names,
    confidence,
    rest_confidence,
    lift,
    rest_lift,
from custseg.top_segment_rules
where run_name = $run_name
qualify row_number() over (partition by segment order by rule_id asc) <= $n
order by segment asc, rule_id asc;
