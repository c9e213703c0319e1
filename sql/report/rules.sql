-- The rules to act on of a run, the first few.
select
    rule_id,
    antecedents::varchar[] as antecedents,
    antecedent_names,
    consequents::varchar[] as consequents,
    consequent_names,
    support_count,
    confidence,
    confidence_low,
    confidence_high,
    lift,
from custseg.top_rules
where run_name = $run_name
order by rule_id asc
limit $n;
