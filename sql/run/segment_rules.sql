-- What the customers of each segment buy together, and whether others do, too.
create temp table custseg_run_segment_rules as
select
    $run_name as run_name,
    rules.* replace (
        [former.item_name] as antecedent_names, [latter.item_name] as consequent_names
    )
from custseg.segment_rules(
    'temp.main.custseg_run_customer_purchases', 'temp.main.custseg_run_segments',
    item := 'item_id', min_support := $least_share, min_confidence := $min_confidence,
    min_orders := $least_orders
) as rules
left join custseg_run_item_names as former
    on antecedents[1] = former.item_id
left join custseg_run_item_names as latter
    on consequents[1] = latter.item_id
order by segment asc, rule_id asc;
