-- The rules to act on: significant, better than every simpler rule, each antecedent of
--      use, of every itemset the surest, none between products of the same name.
create or replace view custseg.top_rules as
from custseg.rules
where
    lift > 1
    and p_value_bh <= 0.05
    and not is_redundant
    and improvement_p_value * n_tests <= 0.05
    and (
        list_bool_and(list_transform(antecedent_names, lambda name: name is null))
        or not list_has_any(antecedent_names, consequent_names)
    )
qualify row_number() over (
    partition by run_name, list_sort(list_concat(antecedents, consequents), 'asc')
    order by confidence desc, rule_id asc
) = 1
order by run_name asc, rule_id asc;
