-- rule_improvements(itemsets, rules, max_consequents): is a rule better than those with
--      fewer antecedents?
-- in:  itemsets and max_consequents as association_rules takes them; rules of them as
--      measured_rules gives them
-- out: set_key, antecedent_key, improvement, is_redundant, improvement_p_value (see
--      association_rules)
-- source: Bayardo, Agrawal & Gunopulos (2000) for improvement; Webb (2007), Discovering
--      significant patterns, for the test of each antecedent
create or replace macro custseg.rule_improvements(
    itemsets, rules, max_consequents := 1
) as table
with recursive custseg_sets as materialized (
    from custseg.keyed_itemsets(itemsets)
),
source_rules as materialized (
    select
        set_key,
        antecedent_key,
        confidence,
        p_value,
        len(antecedents) as n_antecedents,
    from query_table(rules)
),
cuts as materialized (
    from custseg.cut_itemsets('custseg_sets', max_consequents)
    where n_antecedents <= (select max(n_antecedents) from source_rules)
),
-- the best confidence of a rule and of those with fewer antecedents or none, from short
-- to long
growing_rules as (
    select
        set_key,
        antecedent_key,
        n_antecedents,
        consequent_count / n_orders as simpler_confidence,
        greatest(support_count / antecedent_count, consequent_count / n_orders)
            as best_confidence,
    from cuts
    where n_antecedents = 1
    union all
    select
        longer.set_key,
        longer.antecedent_key,
        any_value(longer.n_antecedents),
        max(best_confidence),
        greatest(max(best_confidence), any_value(confidence)),
    from (
        select
            cuts.set_key,
            antecedent_key,
            n_antecedents,
            cuts.support_count / antecedent_count as confidence,
            unnest(item_keys) as left_out,
        from cuts
        inner join custseg_sets
            on antecedent_key = custseg_sets.set_key
        where n_antecedents = 1 + (select max(n_antecedents) from growing_rules)
    ) as longer
    inner join growing_rules
        on xor(longer.set_key, left_out) = growing_rules.set_key
            and xor(longer.antecedent_key, left_out) = growing_rules.antecedent_key
    group by longer.set_key, longer.antecedent_key
),
-- each antecedent in question, among the orders that have the others
questioned_rules as (
    select
        source_rules.set_key,
        antecedent_key,
        unnest(item_keys) as left_out,
    from source_rules
    inner join custseg_sets
        on antecedent_key = custseg_sets.set_key
    where n_antecedents >= 2
),
tested_rules as (
    select
        questioned_rules.set_key,
        questioned_rules.antecedent_key,
        max(custseg.fisher_p_value(
            others.support_count, antecedent.support_count,
            others_and_consequent.support_count, whole.support_count
        )) as improvement_p_value,
    from questioned_rules
    inner join custseg_sets as whole
        on questioned_rules.set_key = whole.set_key
    inner join custseg_sets as antecedent
        on questioned_rules.antecedent_key = antecedent.set_key
    inner join custseg_sets as others
        on xor(questioned_rules.antecedent_key, left_out) = others.set_key
    inner join custseg_sets as others_and_consequent
        on xor(questioned_rules.set_key, left_out) = others_and_consequent.set_key
    group by questioned_rules.set_key, questioned_rules.antecedent_key
)
select
    set_key,
    antecedent_key,
    confidence - simpler_confidence as improvement,
    confidence <= simpler_confidence as is_redundant,
    coalesce(improvement_p_value, p_value) as improvement_p_value,
from source_rules
left join growing_rules using (set_key, antecedent_key)
left join tested_rules using (set_key, antecedent_key);
