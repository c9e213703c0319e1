-- association_rules(itemsets, min_confidence, max_antecedents, ...): rules
--      between the parts of frequent itemsets, with what speaks for them.
-- in:  itemsets as frequent_itemsets gives them (all subsets included; n_orders,
--      n_items and representativity may be missing); min_confidence [0, 1]; the least
--      and the most items of a side, >= 1, or NULL for no limit; require_antecedents,
--      forbid_antecedents, require_consequents, forbid_consequents: lists of items of
--      which that side must hold one, or none; top: only so many, the best by measure
--      (the name of a column: the highest, of p-values the lowest)
-- out: rule_id (1 is the best by measure), antecedents, consequents (sorted lists),
--      antecedent_names, consequent_names, antecedent_support, consequent_support,
--      support (of the whole itemset), support_count, confidence,
--      confidence_low, confidence_high (95% Wilson interval), lift, leverage,
--      conviction (+inf at confidence 1), zhangs_metric (-1 to 1; NULL where the
--      antecedents are in every order), jaccard, cosine, kulczynski, all_confidence,
--      added_value, certainty (-1 to 1), imbalance (0 to 1), representativity (share of
--      orders without an unknown item), phi, chi_square (both NULL where a side is in
--      every order), yules_q, odds_ratio (+inf where one side is never without the
--      other), hyper_lift; p_value (see fisher_p_value), p_value_bonferroni and
--      p_value_bh (false discovery rate), adjusted for n_tests: all rules of as many
--      items that the frequent ones can make, since those with too few orders were
--      tested, too; improvement (of the confidence, over the best rule with fewer
--      antecedents or none), is_redundant (improvement <= 0), improvement_p_value (of
--      fisher_p_value, the highest with one antecedent in question, among the orders
--      that have the others)
-- source: see docs/method.md
create or replace macro custseg.association_rules(
    itemsets, min_confidence := 0.1, max_antecedents := null, max_consequents := 1,
    min_antecedents := 1, min_consequents := 1, require_antecedents := null,
    forbid_antecedents := null, require_consequents := null,
    forbid_consequents := null, top := null, measure := 'lift'
) as table
with custseg_rules as materialized (
    from custseg.measured_rules(
        itemsets,
        min_confidence := min_confidence,
        max_antecedents := max_antecedents,
        max_consequents := max_consequents,
        min_antecedents := min_antecedents,
        min_consequents := min_consequents,
        require_antecedents := require_antecedents,
        forbid_antecedents := forbid_antecedents,
        require_consequents := require_consequents,
        forbid_consequents := forbid_consequents,
        top := case when measure <> 'improvement' then top end,
        measure := case when measure <> 'improvement' then measure else 'lift' end
    )
),
compared_rules as (
    select
        custseg_rules.* exclude (set_key, antecedent_key),
        improvement,
        is_redundant,
        improvement_p_value,
    from custseg_rules
    inner join custseg.rule_improvements(
        itemsets, 'custseg_rules', max_consequents := max_consequents
    ) using (set_key, antecedent_key)
),
numbered_rules as (
    select * replace (
        case
            when measure = 'improvement'
                then row_number() over (order by improvement desc, rule_id asc)
            else rule_id
        end as rule_id
    )
    from compared_rules
)
from numbered_rules
where rule_id <= coalesce(top, rule_id);
