-- The rules to show of a run: one per itemset, the surest, none between products of the
-- same name.
select
    antecedents::varchar[] as antecedents,
    antecedent_names,
    consequents::varchar[] as consequents,
    consequent_names,
    support_count,
    confidence,
    lift,
from custseg.rules
where
    run_name = $run_name
    and (
        list_bool_and(list_transform(antecedent_names, lambda name: name is null))
        or not list_has_any(antecedent_names, consequent_names)
    )
qualify row_number() over (
    partition by list_sort(list_concat(antecedents, consequents))
    order by confidence desc, rule_id asc
) = 1
order by lift desc, rule_id asc
limit $n;
