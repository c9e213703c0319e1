-- What a run offers to the most customers, the first few of each kind, with what most
--      often speaks for it.
with reasons as (
    select
        kind,
        item_id,
        min(item_name) as item_name,
        antecedents,
        min(antecedent_names) as antecedent_names,
        count(*) as n_because,
    from custseg.recommendations
    where run_name = $run_name
    group by kind, item_id, antecedents
),
offers as (
    select
        kind,
        item_id,
        item_name,
        antecedents,
        antecedent_names,
        n_because,
        sum(n_because) over (partition by kind, item_id)::bigint as n_customers,
    from reasons
    qualify row_number() over (
        partition by kind, item_id order by n_because desc, antecedents asc
    ) = 1
)
select
    kind,
    [item_id]::varchar[] as items,
    [item_name] as item_names,
    antecedents::varchar[] as antecedents,
    antecedent_names,
    n_because,
    n_customers,
from offers
qualify row_number() over (
    partition by kind order by n_customers desc, item_id asc
) <= $n
order by kind asc, n_customers desc, item_id asc;
