-- recommend(basket, rules, n, run_name): what to offer with the items of one basket.
-- in:  basket: a list of items; rules as association_rules gives them, those of a run
--      if none are named; n >= 1: the most; run_name: of rules that have one only these
-- out: rank (from 1), item_id, item_name, score (the confidence of the surest rule
--      whose antecedents are all in the basket), rule_id, antecedents,
--      antecedent_names, lift (of this rule); no row where no rule with a lift above 1
--      applies
create or replace macro custseg.recommend(
    basket, rules := 'custseg.rules', n := 10, run_name := 'default'
) as table
with best_rules as (
    select *
    from custseg.offering_rules(rules, n, run_name)
    where
        list_has_all(basket::varchar[], antecedents::varchar[])
        and not list_has_any(basket::varchar[], consequents::varchar[])
    qualify row_number() over (
        partition by consequents
        order by confidence desc, len(antecedents) asc, lift desc, rule_id asc
    ) = 1
),
ranked_rules as (
    select
        *,
        (row_number() over (order by confidence desc, lift desc, rule_id asc))::integer
            as rank,
    from best_rules
)
select
    rank,
    consequents[1] as item_id,
    consequent_names[1] as item_name,
    confidence as score,
    rule_id,
    antecedents,
    antecedent_names,
    lift,
from ranked_rules
where rank <= n;
