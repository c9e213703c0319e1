-- measured_rules(itemsets, min_confidence, max_antecedents, ...): as
--      association_rules, without the comparison to simpler rules: sooner.
-- in:  as association_rules, but measure is not 'improvement'
-- out: set_key, antecedent_key (see keyed_itemsets) and the columns of
--      association_rules, without improvement, is_redundant and improvement_p_value
-- source: Wilson (1927); Benjamini & Hochberg (1995); measures: docs/method.md
create or replace macro custseg.measured_rules(
    itemsets, min_confidence := 0.1, max_antecedents := null, max_consequents := 1,
    min_antecedents := 1, min_consequents := 1, require_antecedents := null,
    forbid_antecedents := null, require_consequents := null,
    forbid_consequents := null, top := null, measure := 'lift'
) as table
with custseg_sets as materialized (
    from custseg.keyed_itemsets(itemsets)
    where
        custseg.require(coalesce(min_confidence between 0 and 1, false),
            'min_confidence must be in [0, 1], got {} [option]', min_confidence)
        and custseg.require(coalesce(max_antecedents, 1) >= 1,
            'max_antecedents must be at least 1 or NULL, got {} [option]',
            max_antecedents)
        and custseg.require(coalesce(max_consequents, 1) >= 1,
            'max_consequents must be at least 1 or NULL, got {} [option]',
            max_consequents)
        and custseg.require(coalesce(min_antecedents, 1) >= 1,
            'min_antecedents must be at least 1 or NULL, got {} [option]',
            min_antecedents)
        and custseg.require(coalesce(min_consequents, 1) >= 1,
            'min_consequents must be at least 1 or NULL, got {} [option]',
            min_consequents)
        and custseg.require(coalesce(top, 1) >= 1,
            'top must be at least 1 or NULL, got {} [option]', top)
        and custseg.require(
            coalesce(list_contains(custseg.rule_measures(), measure), false),
            'measure must be one of '
            || array_to_string(custseg.rule_measures(), ', ') || ', got {} [option]',
            measure)
),
-- what a side may be: 'allowed' and 'required' count single items
totals as materialized (
    select
        max(n_orders) as n_orders,
        max(n_items) as n_items,
        max(representativity) as representativity,
        max(n_items) - count(item) filter (
            list_contains(forbid_antecedents::varchar[], item)
        ) as antecedents_allowed,
        count(item) filter (
            list_contains(require_antecedents::varchar[], item)
            and not coalesce(list_contains(forbid_antecedents::varchar[], item), false)
        ) as antecedents_required,
        max(n_items) - count(item) filter (
            list_contains(forbid_consequents::varchar[], item)
        ) as consequents_allowed,
        count(item) filter (
            list_contains(require_consequents::varchar[], item)
            and not coalesce(list_contains(forbid_consequents::varchar[], item), false)
        ) as consequents_required,
    from custseg_sets
),
required_items as (
    select
        list_filter(
            require_antecedents::varchar[],
            lambda required: not list_contains(known_items, required)
        )[1] as unknown_antecedent,
        list_filter(
            require_consequents::varchar[],
            lambda required: not list_contains(known_items, required)
        )[1] as unknown_consequent,
    from (
        select coalesce(list(item) filter (item is not null), []) as known_items
        from custseg_sets
    )
),
required_check as (
    from required_items
    where
        custseg.require(unknown_antecedent is null,
            'require_antecedents must hold items of the itemsets, got {}. It may be '
            || 'below the least support [option]', unknown_antecedent)
        and custseg.require(unknown_consequent is null,
            'require_consequents must hold items of the itemsets, got {}. It may be '
            || 'below the least support [option]', unknown_consequent)
),
antecedents as (
    select set_key
    from custseg_sets
    where
        length >= coalesce(min_antecedents, 1)
        and length <= coalesce(max_antecedents, length)
        and coalesce(
            list_has_any(items::varchar[], require_antecedents::varchar[]), true
        )
        and not coalesce(
            list_has_any(items::varchar[], forbid_antecedents::varchar[]), false
        )
),
consequents as (
    select set_key
    from custseg_sets
    where
        length >= coalesce(min_consequents, 1)
        and length <= coalesce(max_consequents, length)
        and coalesce(
            list_has_any(items::varchar[], require_consequents::varchar[]), true
        )
        and not coalesce(
            list_has_any(items::varchar[], forbid_consequents::varchar[]), false
        )
),
tested_rules as (
    select
        cuts.*,
        n_items,
        representativity,
        antecedent_count / cuts.n_orders as antecedent_support,
        consequent_count / cuts.n_orders as consequent_support,
        support_count / cuts.n_orders as support,
        support_count / antecedent_count as confidence,
        support_count::double * cuts.n_orders
            / (antecedent_count::double * consequent_count) as lift,
        -- orders with both, with one side only, with neither
        support_count::double as n_both,
        antecedent_count::double - support_count as only_a,
        consequent_count::double - support_count as only_c,
        cuts.n_orders::double - antecedent_count - consequent_count + support_count
            as neither,
        custseg.fisher_p_value(
            cuts.n_orders, antecedent_count, consequent_count, support_count
        ) as p_value,
        case
            when coalesce(
                require_antecedents, forbid_antecedents, require_consequents,
                forbid_consequents
            ) is null
            then custseg.combinations(n_items, n_antecedents)
                * custseg.combinations(n_items - n_antecedents, n_consequents)
            else (
                custseg.combinations(antecedents_allowed, n_antecedents)
                - case when require_antecedents is null then 0
                    else custseg.combinations(
                        antecedents_allowed - antecedents_required, n_antecedents
                    )
                end
            ) * (
                custseg.combinations(consequents_allowed, n_consequents)
                - case when require_consequents is null then 0
                    else custseg.combinations(
                        consequents_allowed - consequents_required, n_consequents
                    )
                end
            )
        end as n_tests,
    from custseg.cut_itemsets('custseg_sets', max_consequents) as cuts
    semi join antecedents
        on cuts.antecedent_key = antecedents.set_key
    semi join consequents
        on cuts.consequent_key = consequents.set_key
    cross join totals
    cross join required_check
    where cuts.support_count
        >= coalesce(min_confidence, 0) * cuts.antecedent_count * (1 - 1e-12)
),
measured_rules as (
    select
        *,
        (confidence + 1.9207294103470727 / antecedent_count) as middle,
        1.959963984540054 * sqrt(
            confidence * (1 - confidence) / antecedent_count
            + 0.9603647051735364 / pow(antecedent_count, 2)
        ) as reach,
        1 + 3.8414588206941454 / antecedent_count as stretch,
        support - antecedent_support * consequent_support as leverage,
        case
            when support_count = antecedent_count then 'infinity'::double
            else (1 - consequent_support) / (1 - confidence)
        end as conviction,
        leverage / nullif(greatest(
            support * (1 - antecedent_support),
            antecedent_support * (only_c / n_orders)
        ), 0) as zhangs_metric,
        n_both / (n_both + only_a + only_c) as jaccard,
        n_both / sqrt(antecedent_count::double * consequent_count) as cosine,
        (confidence + n_both / consequent_count) / 2 as kulczynski,
        n_both / greatest(antecedent_count, consequent_count) as all_confidence,
        confidence - consequent_support as added_value,
        case
            when support_count * n_orders::hugeint
                = antecedent_count * consequent_count::hugeint then 0
            when confidence > consequent_support
                then (confidence - consequent_support) / (1 - consequent_support)
            else (confidence - consequent_support) / consequent_support
        end as certainty,
        abs(antecedent_count - consequent_count) / (n_both + only_a + only_c)
            as imbalance,
        (n_both * neither - only_a * only_c) / nullif(sqrt(
            antecedent_count::double * consequent_count
        ) * sqrt((n_orders::double - antecedent_count) * (n_orders - consequent_count)),
            0) as phi,
        n_orders * pow(phi, 2) as chi_square,
        (n_both * neither - only_a * only_c)
            / nullif(n_both * neither + only_a * only_c, 0) as yules_q,
        case
            when only_a * only_c > 0 then n_both * neither / (only_a * only_c)
            when neither > 0 then 'infinity'::double
        end as odds_ratio,
        custseg.hyper_lift(
            n_orders, antecedent_count, consequent_count, support_count
        ) as hyper_lift,
        least(1, p_value * n_tests) as p_value_bonferroni,
        least(1, min(p_value * n_tests / n_as_likely) over (
            partition by n_antecedents, n_consequents order by p_value desc
        )) as p_value_bh,
    from (
        select
            *,
            count(*) over (
                partition by n_antecedents, n_consequents order by p_value asc
            ) as n_as_likely,
        from tested_rules
    )
),
-- items and names are joined to their places last: lists are slow to sort
ordered_rules as (
    select
        *,
        row_number() over (
            order by
                case
                    when measure in ('p_value', 'p_value_bh', 'p_value_bonferroni')
                        then -custseg_measure
                    else custseg_measure
                end desc nulls last,
                support_count desc,
                antecedent_place asc,
                consequent_place asc
        ) as rule_id,
    from (
        select
            *,
            case measure
                when 'support' then support
                when 'confidence' then confidence
                when 'lift' then lift
                when 'leverage' then leverage
                when 'conviction' then conviction
                when 'zhangs_metric' then zhangs_metric
                when 'jaccard' then jaccard
                when 'cosine' then cosine
                when 'kulczynski' then kulczynski
                when 'all_confidence' then all_confidence
                when 'added_value' then added_value
                when 'certainty' then certainty
                when 'imbalance' then imbalance
                when 'phi' then phi
                when 'chi_square' then chi_square
                when 'yules_q' then yules_q
                when 'odds_ratio' then odds_ratio
                when 'hyper_lift' then hyper_lift
                when 'confidence_low' then (middle - reach) / stretch
                when 'p_value' then p_value
                when 'p_value_bh' then p_value_bh
                when 'p_value_bonferroni' then p_value_bonferroni
            end as custseg_measure,
        from measured_rules
    )
)
select
    ordered_rules.set_key,
    ordered_rules.antecedent_key,
    rule_id,
    antecedent.items as antecedents,
    consequent.items as consequents,
    antecedent.item_names as antecedent_names,
    consequent.item_names as consequent_names,
    antecedent_support,
    consequent_support,
    support,
    ordered_rules.support_count,
    confidence,
    (middle - reach) / stretch as confidence_low,
    -- at confidence 1 it is 1, which rounding may miss on either side
    greatest(confidence, least(1, (middle + reach) / stretch)) as confidence_high,
    lift,
    leverage,
    conviction,
    zhangs_metric,
    jaccard,
    cosine,
    kulczynski,
    all_confidence,
    added_value,
    certainty,
    imbalance,
    ordered_rules.representativity,
    phi,
    chi_square,
    yules_q,
    odds_ratio,
    hyper_lift,
    p_value,
    p_value_bonferroni,
    p_value_bh,
    n_tests,
from ordered_rules
inner join custseg_sets as antecedent
    on antecedent_place = antecedent.place
inner join custseg_sets as consequent
    on consequent_place = consequent.place
where rule_id <= coalesce(top, rule_id);
