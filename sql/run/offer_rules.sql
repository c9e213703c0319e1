-- Rules of one item each that may be much rarer than the others, the best of each item:
--      for offers it matters more to have one for everybody than to be sure of each.
create temp table custseg_run_offer_rules as
with custseg_itemsets as materialized (
    from custseg.frequent_itemsets(
        'temp.main.custseg_run_customer_purchases', item := 'item_id', max_length := 2,
        min_count := $offer_count, max_pairs := $max_pairs
    )
),
best_rules as (
    select
        rule_id,
        antecedents,
        consequents,
        antecedent_support,
        consequent_support,
        support,
        support_count,
        confidence,
        lift,
    from custseg.measured_rules('custseg_itemsets', min_confidence := 0)
    where lift > 1
    qualify row_number() over (
        partition by antecedents
        order by support_count * ln(lift) desc, rule_id asc
    ) <= 20
)
select
    $run_name as run_name,
    best_rules.*,
    [former.item_name] as antecedent_names,
    [latter.item_name] as consequent_names,
from best_rules
left join custseg_run_item_names as former
    on antecedents[1] = former.item_id
left join custseg_run_item_names as latter
    on consequents[1] = latter.item_id
order by rule_id asc;
