-- rule_measures(): the measures that rules can be ordered by.
-- in:  nothing
-- out: names of columns of association_rules VARCHAR[]
create or replace macro custseg.rule_measures() as
[
    'support', 'confidence', 'confidence_low', 'lift', 'leverage', 'conviction',
    'zhangs_metric', 'jaccard', 'cosine', 'kulczynski', 'all_confidence', 'added_value',
    'certainty', 'imbalance', 'phi', 'chi_square', 'yules_q', 'odds_ratio',
    'hyper_lift', 'improvement', 'p_value', 'p_value_bonferroni', 'p_value_bh'
];
