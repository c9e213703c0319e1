-- The rules to show of a run.
select
    antecedents::varchar[] as antecedents,
    antecedent_names,
    consequents::varchar[] as consequents,
    consequent_names,
    support_count,
    confidence,
    lift,
from custseg.top_rules
where run_name = $run_name
order by rule_id asc
limit $n;
