-- Rules of one item each that are much rarer than the others: for offers it matters more
--      to have one for everybody than to be sure of each.
create temp table custseg_run_offer_rules as
with custseg_itemsets as materialized (
    from custseg.frequent_itemsets(
        'temp.main.custseg_run_customer_purchases', item := 'item_id', max_length := 2,
        min_count := $offer_count, max_pairs := $max_pairs
    )
)
select
    $run_name as run_name,
    rule_id,
    antecedents,
    consequents,
    [former.item_name] as antecedent_names,
    [latter.item_name] as consequent_names,
    antecedent_support,
    consequent_support,
    support,
    support_count,
    confidence,
    lift,
    p_value,
    p_value_bh,
from custseg.measured_rules('custseg_itemsets', min_confidence := 0) as rules
left join custseg_run_item_names as former
    on antecedents[1] = former.item_id
left join custseg_run_item_names as latter
    on consequents[1] = latter.item_id
where lift > 1
order by rule_id asc;
