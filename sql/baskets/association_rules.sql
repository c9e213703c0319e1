-- association_rules(itemsets, min_confidence, max_antecedents, max_consequents): rules
--      between the parts of frequent itemsets.
-- in:  itemsets as frequent_itemsets gives them (all subsets included; item_names
--      optional); min_confidence [0, 1]; max_antecedents, max_consequents >= 1, or NULL
--      for no limit
-- out: rule_id (1 has the highest lift), antecedents, consequents (sorted lists),
--      antecedent_names, consequent_names, antecedent_support, consequent_support,
--      support (of the whole itemset), support_count, confidence, lift, leverage,
--      conviction (+inf at confidence 1), zhangs_metric (-1 to 1; NULL where the
--      antecedents are in every order), jaccard, cosine, kulczynski
-- source: Agrawal & Srikant (1994); Brin et al. (1997) for lift and conviction;
--      Piatetsky-Shapiro (1991) for leverage; Yan, Zhang & Zhang (2009) for Zhang's
--      metric; Wu, Chen & Han (2010) for kulczynski
create or replace macro custseg.association_rules(
    itemsets, min_confidence := 0.1, max_antecedents := null, max_consequents := 1
) as table
with source_itemsets as materialized (
    select items, item_names, support, support_count
    from (
        select null::varchar[] as item_names where false
        union all by name
        from query_table(itemsets)
    )
    where
        custseg.require(coalesce(min_confidence between 0 and 1, false),
            'min_confidence must be in [0, 1], got {}', min_confidence)
        and custseg.require(coalesce(max_antecedents, 1) >= 1,
            'max_antecedents must be at least 1 or NULL, got {}', max_antecedents)
        and custseg.require(coalesce(max_consequents, 1) >= 1,
            'max_consequents must be at least 1 or NULL, got {}', max_consequents)
),
total as (
    select round(max(support_count / support))::bigint as n_orders
    from source_itemsets
),
-- every way to cut a set in two: a number whose bits say which items are consequents
cuts as (
    select
        items,
        item_names,
        support_count,
        unnest(case
            when max_consequents = 1
                then list_transform(range(len(items)), lambda place: 1::bigint << place)
            else list_filter(
                range(1, (1::bigint << len(items)) - 1),
                lambda cut: bit_count(cut) <= coalesce(max_consequents, 64)
            )
        end) as cut,
    from source_itemsets
    where len(items) >= 2
),
sides as (
    select
        support_count,
        list_filter(items, lambda item, place: cut & (1::bigint << (place - 1)) = 0)
            as antecedents,
        list_filter(items, lambda item, place: cut & (1::bigint << (place - 1)) <> 0)
            as consequents,
        list_filter(
            item_names, lambda item, place: cut & (1::bigint << (place - 1)) = 0
        ) as antecedent_names,
        list_filter(
            item_names, lambda item, place: cut & (1::bigint << (place - 1)) <> 0
        ) as consequent_names,
    from cuts
    where len(items) - bit_count(cut) <= coalesce(max_antecedents, 64)
),
counted_rules as (
    select
        sides.*,
        antecedent.support_count as antecedent_count,
        consequent.support_count as consequent_count,
        n_orders,
        sides.support_count / antecedent.support_count as confidence,
    from sides
    inner join source_itemsets as antecedent
        on sides.antecedents = antecedent.items
    inner join source_itemsets as consequent
        on sides.consequents = consequent.items
    cross join total
    where sides.support_count
        >= coalesce(min_confidence, 0) * antecedent.support_count * (1 - 1e-12)
),
measured_rules as (
    select
        antecedents,
        consequents,
        antecedent_names,
        consequent_names,
        antecedent_count / n_orders as antecedent_support,
        consequent_count / n_orders as consequent_support,
        support_count / n_orders as support,
        support_count,
        confidence,
        support_count::double * n_orders
            / (antecedent_count::double * consequent_count) as lift,
        support_count / n_orders
            - (antecedent_count / n_orders) * (consequent_count / n_orders) as leverage,
        case
            when support_count = antecedent_count then 'infinity'::double
            else (1 - consequent_count / n_orders) / (1 - confidence)
        end as conviction,
        leverage / nullif(greatest(
            support_count / n_orders * (1 - antecedent_count / n_orders),
            (antecedent_count / n_orders)
                * ((consequent_count - support_count) / n_orders)
        ), 0) as zhangs_metric,
        support_count
            / (antecedent_count + consequent_count - support_count) as jaccard,
        support_count / sqrt(antecedent_count::double * consequent_count) as cosine,
        (support_count / antecedent_count + support_count / consequent_count) / 2
            as kulczynski,
    from counted_rules
)
select
    row_number() over (
        order by lift desc, support_count desc, antecedents asc, consequents asc
    ) as rule_id,
    *,
from measured_rules;
