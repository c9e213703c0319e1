-- recommendations(lines, rules, n, item, kind, run_name): what to offer to each
--      customer, and why.
-- in:  lines as customer_purchases takes them; rules as association_rules gives them,
--      best with few orders and any confidence (see docs/rules.md); n >= 1: the most of
--      each kind; item: the name of the column that the rules were mined of; kind:
--      'cross-sell', 'up-sell' or NULL for both; run_name: of rules that have one only
--      these
-- out: customer_id, kind ('up-sell': dearer, a unit, than something of the same
--      category that the customer buys; 'cross-sell': the others), rank (within
--      customer and kind, from 1), item_id, item_name, score (0 to 1, to order by: no
--      probability), rule_id (of the rule that speaks for it most; of an up-sell, from
--      what it is dearer than),
--      antecedents, antecedent_names, confidence, lift (of this rule), unit_price
--      (NULL where unknown). Nothing that the customer has bought
-- source: naive Bayes with weights: the odds of the score are those of
--      consequent_support, times lift ^ (0.2 * ln(1 + lines of the antecedent)) of each
--      rule that applies; of each antecedents the 20 with the highest support_count *
--      ln(lift). 0.2 and 20 by trial on the Complete Journey (recommendation_metrics)
create or replace macro custseg.recommendations(
    lines, rules, n := 10, item := 'product_id', kind := null, run_name := 'default'
) as table
with custseg_purchases as not materialized (
    from custseg.customer_purchases(lines, item := item)
),
source_rules as materialized (
    select
        rule_id,
        antecedents,
        consequents[1] as target,
        antecedent_names,
        consequent_names[1] as target_name,
        consequent_support,
        confidence,
        lift,
        (row_number() over (
            order by support_count * ln(lift) desc, antecedents asc, consequents asc
        ))::integer as rule_number,
    from custseg.offering_rules(rules, n, run_name)
    where custseg.require(coalesce(kind in ('cross-sell', 'up-sell'), true),
        'kind must be ''cross-sell'', ''up-sell'' or NULL, got {} [option]', kind)
    qualify row_number() over (
        partition by antecedents
        order by support_count * ln(lift) desc, consequents asc
    ) <= 20
),
placed_items as materialized (
    select item_id, (row_number() over (order by item_id asc))::integer as place
    from (
        select unnest(antecedents) as item_id from source_rules
        union
        select target from source_rules
    )
),
customers as materialized (
    select
        customer_id,
        (row_number() over (order by customer_id asc))::integer as customer,
    from (select distinct customer_id from custseg_purchases)
),
history as materialized (
    select customer, place, count(*) as n_lines
    from custseg_purchases
    inner join placed_items using (item_id)
    inner join customers using (customer_id)
    group by customer, place
),
item_facts as materialized (
    select
        place,
        min(category) as category,
        coalesce(
            sum(amount) filter (quantity > 0)::double
                / nullif(sum(quantity) filter (amount is not null and quantity > 0), 0),
            avg(amount)
        ) as unit_price,
    from custseg_purchases
    inner join placed_items using (item_id)
    group by place
),
-- whole numbers, so that sums do not depend on the order of rows: millionths
placed_rules as materialized (
    select
        rule_number,
        len(antecedents) as n_antecedents,
        antecedent.place as first_place,
        target.place as target_place,
        ln(lift) * 0.2e6 as gain,
        coalesce(
            n_antecedents = 1
            and antecedent_facts.category = target_facts.category
            and antecedent_facts.unit_price < target_facts.unit_price,
            false
        ) as is_up_sell,
    from source_rules
    inner join placed_items as antecedent
        on antecedents[1] = antecedent.item_id
    inner join placed_items as target
        on source_rules.target = target.item_id
    left join item_facts as antecedent_facts
        on antecedent.place = antecedent_facts.place
    left join item_facts as target_facts
        on target.place = target_facts.place
    where coalesce(is_up_sell = (kind = 'up-sell'), true)
),
longer_rules as (
    select rule_number, n_antecedents, place
    from (
        select
            rule_number,
            len(antecedents) as n_antecedents,
            unnest(antecedents) as item_id,
        from source_rules
        where len(antecedents) > 1
    )
    inner join placed_items using (item_id)
),
applicable_rules as (
    select customer, n_lines, rule_number, target_place, gain, is_up_sell
    from history
    inner join placed_rules
        on place = first_place
    where n_antecedents = 1
    union all
    select customer, n_lines, rule_number, target_place, gain, is_up_sell
    from (
        select customer, rule_number, min(n_lines) as n_lines
        from history
        inner join longer_rules using (place)
        group by customer, rule_number, n_antecedents
        having count(*) = n_antecedents
    )
    inner join placed_rules using (rule_number)
),
-- the strongest rule of an offer stands in the last 24 bits of a number that begins
-- with its gain
offers as (
    select
        customer,
        target_place,
        bool_or(is_up_sell) as is_up_sell,
        sum(strength >> 24) as total_gain,
        coalesce(
            max(strength) filter (is_up_sell), max(strength)
        ) as strongest,
    from (
        select
            *,
            (gain * ln(1 + n_lines))::bigint << 24 | (16777215 - rule_number)
                as strength,
        from applicable_rules
    )
    group by customer, target_place
),
target_supports as (
    select
        place as target_place,
        max((
            ln(consequent_support / nullif(1 - consequent_support, 0)) * 1e6
        )::bigint) as base,
    from source_rules
    inner join placed_items
        on target = item_id
    group by place
),
-- likewise the item behind its score
best_offers as (
    select
        customer,
        is_up_sell,
        arg_max(
            {'sort_key': sort_key, 'strongest': strongest},
            sort_key,
            least(n, 999_999)::bigint -- more DuckDB does not take
        ) as ranked_offers,
    from (
        select
            customer,
            is_up_sell,
            strongest,
            (total_gain + base)::bigint * 16777216 + (16777215 - target_place)
                as sort_key,
        from offers
        inner join target_supports using (target_place)
        anti join history
            on offers.customer = history.customer and target_place = history.place
    )
    group by customer, is_up_sell
),
listed_offers as (
    select
        customer,
        is_up_sell,
        unnest(range(1, len(ranked_offers) + 1)) as rank,
        unnest(ranked_offers) as offer,
    from best_offers
)
select
    customer_id,
    case when is_up_sell then 'up-sell' else 'cross-sell' end as kind,
    rank::integer as rank,
    target as item_id,
    target_name as item_name,
    1 / (1 + exp(-(offer.sort_key >> 24) / 1e6)) as score,
    rule_id,
    antecedents,
    antecedent_names,
    confidence,
    lift,
    unit_price,
from listed_offers
inner join customers using (customer)
inner join source_rules
    on 16777215 - (offer.strongest & 16777215) = rule_number
left join item_facts
    on 16777215 - (offer.sort_key & 16777215) = item_facts.place;
