-- What the customers of a segment buy together that others do not: rules that are
--      significant in the segment and hold there significantly more than elsewhere.
create or replace view custseg.top_segment_rules as
from custseg.segment_rules
where
    lift > 1
    and p_value_bh <= 0.05
    and contrast_p_value_bh <= 0.05
    -- a household's habit is none of its segment
    and effective_customers >= 10
    and coalesce(lift_ratio > 1, true)
    and (
        list_bool_and(list_transform(antecedent_names, lambda name: name is null))
        or not list_has_any(antecedent_names, consequent_names)
    )
qualify row_number() over (
    partition by
        run_name, segment, list_sort(list_concat(antecedents, consequents), 'asc')
    order by confidence desc, rule_id asc
) = 1
order by run_name asc, segment asc, rule_id asc;
