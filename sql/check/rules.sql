-- Whether the confidence of every rule is that of the itemsets beside it.
with sets as materialized (
    select list_sort(items, 'asc', 'nulls last') as items, support_count
    from custseg.itemsets
    where run_name = $run_name
),
rule_sets as (
    select
        list_sort(antecedents, 'asc', 'nulls last') as antecedents,
        list_sort(list_concat(antecedents, consequents), 'asc', 'nulls last') as items,
        support_count,
        confidence,
    from custseg.rules
    where run_name = $run_name
)
select
    count(*) as n_checked,
    count(*) filter (coalesce(
        together.support_count <> rule_sets.support_count
        or abs(
            rule_sets.confidence - together.support_count / alone.support_count
        ) > 1e-12,
        true
    )) as n_wrong,
from rule_sets
left join sets as together on together.items = rule_sets.items
left join sets as alone on alone.items = rule_sets.antecedents;
