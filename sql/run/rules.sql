-- Which items follow from which.
create temp table custseg_run_rules as
select $run_name as run_name, *
from custseg.association_rules(
    'temp.main.custseg_run_itemsets',
    min_confidence := $min_confidence, max_antecedents := $max_antecedents,
    max_consequents := $max_consequents
)
order by rule_id asc;
