-- segment_rules(lines, segments, min_support, min_count, max_length, ...): rules within
--      each segment, and whether they hold there more than elsewhere. All segments are
--      counted in one pass.
-- in:  lines as customer_purchases takes them; segments(customer_id, segment), each
--      customer once; min_support (0, 1] (share of the segment's orders) or min_count
--      >= 1 (orders); max_length 2 or 3 (items of both sides; one consequent); item:
--      the name of the column to mine; min_confidence [0, 1]; min_orders >= 1: the
--      least number of orders, whatever share that is
-- out: segment, rule_id (within the segment: first what is sure to hold more there, at
--      5% by contrast_p_value_bh, and of 10 effective_customers; by lift_ratio),
--      antecedents, consequents (lists), antecedent_names, consequent_names, n_orders
--      (of the segment), antecedent_support, consequent_support, support,
--      support_count,
--      n_customers (with such an order), effective_customers (fewer where few of them
--      have most of these orders: Simpson's (1949) number, 1 to n_customers),
--      confidence, lift, p_value, n_tests, p_value_bh (as association_rules, within the
--      segment); of the orders of all other segments together rest_orders,
--      rest_support_count, rest_support, rest_confidence, rest_lift;
--      confidence_difference, lift_ratio, contrast_p_value (Fisher's test, one-sided:
--      among orders with the antecedents, is the consequent more frequent in the
--      segment?), contrast_p_value_bh
create or replace macro custseg.segment_rules(
    lines, segments, min_support := 0.01, min_count := null, max_length := 2,
    item := 'product_id', min_confidence := 0.1, min_orders := 1
) as table
with custseg_purchases as not materialized (
    from custseg.customer_purchases(lines, item := item)
),
custseg_names as materialized (
    from custseg.item_names(lines, item := item)
),
source_segments as materialized (
    select customer_id, segment
    from query_table(segments)
    where
        segment is not null
        and custseg.require(coalesce(min_orders >= 1, false),
            'min_orders must be at least 1, got {} [option]', min_orders)
        and custseg.require(coalesce(max_length in (2, 3), false),
            'max_length must be 2 or 3, got {} [option]', max_length)
        and custseg.require(coalesce(min_confidence between 0 and 1, false),
            'min_confidence must be in [0, 1], got {} [option]', min_confidence)
),
segment_check as (
    select count(*) as n_customers
    from source_segments
    having custseg.require(count(*) = count(distinct customer_id),
        'segments must hold each customer once, got {} rows too many. Of '
        || 'custseg.segments take the rows of one run [repeated-rows]',
        count(*) - count(distinct customer_id))
),
segment_numbers as materialized (
    select
        segment,
        (row_number() over (order by segment asc))::integer as segment_number,
    from (select distinct segment from source_segments)
),
numbered_customers as materialized (
    select
        customer_id,
        segment_number,
        (row_number() over (order by customer_id asc))::integer as customer,
    from source_segments
    inner join segment_numbers using (segment)
),
basket_rows as materialized (
    select
        segment_number,
        custseg.order_key(order_id) as order_key,
        item_id,
        min(customer) as customer,
    from custseg_purchases
    inner join numbered_customers using (customer_id)
    group by all
),
-- an order that several customers of the segment share is the first one's
order_customers as materialized (
    select segment_number, order_key, min(customer) as customer
    from basket_rows
    group by segment_number, order_key
),
segment_sizes as materialized (
    select
        segment_number,
        count(distinct order_key) as n_orders,
        greatest(
            min_orders,
            custseg.least_count(count(distinct order_key), min_support, min_count)
        ) as least_orders,
    from basket_rows
    cross join segment_check
    where n_customers >= 0
    group by segment_number
),
size_check as (
    select sum(n_orders)::bigint as n_all_orders
    from segment_sizes
    having custseg.require(count(*) > 0,
        'segments must hold customers of the lines, got {} [no-rows]',
        'none that bought anything')
),
item_counts as materialized (
    select segment_number, item_id, count(*) as n
    from basket_rows
    group by segment_number, item_id
),
-- frequent in one segment at least; by number, in the order of their ids
placed_items as materialized (
    select
        item_id,
        item_name,
        (row_number() over (order by item_id asc))::integer as place,
    from (
        select distinct item_id
        from item_counts
        inner join segment_sizes using (segment_number)
        where n >= least_orders
    )
    left join custseg_names using (item_id)
),
placed_rows as materialized (
    select segment_number, order_key, place, order_customers.customer
    from basket_rows
    inner join placed_items using (item_id)
    inner join order_customers using (segment_number, order_key)
),
placed_pairs as not materialized (
    select
        segment_number,
        order_key,
        former.place as first,
        latter.place as second,
        former.customer,
    from placed_rows as former
    inner join placed_rows as latter using (segment_number, order_key)
    where former.place < latter.place
),
pair_counts as (
    select
        segment_number,
        first,
        second,
        sum(n)::bigint as n,
        count(*) as n_customers,
        pow(sum(n), 2) / sum(n * n) as effective_customers,
    from (
        select segment_number, first, second, customer, count(*) as n
        from placed_pairs
        group by all
    )
    group by segment_number, first, second
),
-- the counts in all segments of what is frequent in one
segment_pairs as materialized (
    select *, max(n >= least_orders) over (partition by first, second) as is_frequent
    from pair_counts
    inner join segment_sizes using (segment_number)
    qualify is_frequent
),
-- triples of which all pairs are frequent in the same segment
frequent_pairs as materialized (
    select segment_number, first, second
    from segment_pairs
    where n >= least_orders and max_length = 3
),
candidate_triples as materialized (
    select distinct shorter.first, shorter.second, longer.second as third
    from frequent_pairs as shorter
    inner join frequent_pairs as longer
        on shorter.segment_number = longer.segment_number
            and shorter.first = longer.first and shorter.second < longer.second
    semi join frequent_pairs as closing
        on shorter.segment_number = closing.segment_number
            and shorter.second = closing.first and longer.second = closing.second
),
triple_counts as (
    select
        segment_number,
        first,
        second,
        third,
        sum(n)::bigint as n,
        count(*) as n_customers,
        pow(sum(n), 2) / sum(n * n) as effective_customers,
    from (
        select segment_number, first, second, third, customer, count(*) as n
        from placed_pairs
        inner join (
            select segment_number, order_key, place as third
            from placed_rows
        ) using (segment_number, order_key)
        semi join candidate_triples using (first, second, third)
        where second < third
        group by all
    )
    group by segment_number, first, second, third
),
set_counts as materialized (
    select
        segment_number,
        [place] as places,
        n,
        null as n_customers,
        null as effective_customers,
    from item_counts
    inner join placed_items using (item_id)
    union all
    select segment_number, [first, second], n, n_customers, effective_customers
    from segment_pairs
    union all
    select segment_number, [first, second, third], n, n_customers, effective_customers
    from triple_counts
),
total_counts as materialized (
    select places, sum(n)::bigint as n
    from set_counts
    group by places
),
item_totals as materialized (
    select segment_number, count(*) as n_items
    from set_counts
    inner join segment_sizes using (segment_number)
    where len(places) = 1 and n >= least_orders
    group by segment_number
),
cuts as (
    select *, list_filter(places, lambda place: place <> consequent) as antecedents
    from (
        select
            segment_number,
            places,
            n,
            n_customers,
            effective_customers,
            n_orders,
            n_all_orders - n_orders as rest_orders,
            unnest(places) as consequent,
        from set_counts
        inner join segment_sizes using (segment_number)
        cross join size_check
        where len(places) >= 2 and n >= least_orders
    )
),
counted_rules as (
    select
        cuts.*,
        n_items,
        len(antecedents) as n_antecedents,
        antecedent.n as antecedent_count,
        consequents.n as consequent_count,
        total.n - cuts.n as rest_count,
        antecedent_total.n - antecedent.n as rest_antecedent_count,
        consequent_total.n - consequents.n as rest_consequent_count,
    from cuts
    inner join item_totals using (segment_number)
    -- as one value each: by the segment alone DuckDB would join them to each other
    inner join set_counts as antecedent
        on {'segment': cuts.segment_number, 'places': antecedents}
            = {'segment': antecedent.segment_number, 'places': antecedent.places}
    inner join set_counts as consequents
        on {'segment': cuts.segment_number, 'places': [consequent]}
            = {'segment': consequents.segment_number, 'places': consequents.places}
    inner join total_counts as total
        on cuts.places = total.places
    inner join total_counts as antecedent_total
        on antecedents = antecedent_total.places
    inner join total_counts as consequent_total
        on [consequent] = consequent_total.places
    where cuts.n >= min_confidence * antecedent.n * (1 - 1e-12)
),
measured_rules as (
    select
        *,
        n / antecedent_count as confidence,
        n::double * n_orders / (antecedent_count::double * consequent_count) as lift,
        rest_count / nullif(rest_antecedent_count, 0) as rest_confidence,
        rest_count::double * rest_orders / nullif(
            rest_antecedent_count::double * rest_consequent_count, 0
        ) as rest_lift,
        custseg.fisher_p_value(n_orders, antecedent_count, consequent_count, n)
            as p_value,
        case when rest_antecedent_count > 0 then custseg.fisher_p_value(
            antecedent_count + rest_antecedent_count, antecedent_count,
            n + rest_count, n
        ) end as contrast_p_value,
        custseg.combinations(n_items, n_antecedents) * (n_items - n_antecedents)
            as n_tests,
    from counted_rules
),
ranked_rules as (
    select
        *,
        count(p_value) over (
            partition by segment_number, n_antecedents order by p_value asc
        ) as n_as_likely,
        count(contrast_p_value) over (
            partition by segment_number, n_antecedents order by contrast_p_value asc
        ) as n_contrasts_as_likely,
    from measured_rules
),
adjusted_rules as (
    select
        *,
        least(1, min(p_value * n_tests / n_as_likely) over (
            partition by segment_number, n_antecedents order by p_value desc
        )) as p_value_bh,
        case when contrast_p_value is not null then least(1, min(
            contrast_p_value * n_tests / n_contrasts_as_likely
        ) over (
            partition by segment_number, n_antecedents
            order by contrast_p_value desc nulls first
        )) end as contrast_p_value_bh,
    from ranked_rules
)
select
    segment,
    row_number() over (
        partition by segment_number
        order by
            coalesce(
                contrast_p_value_bh <= 0.05 and effective_customers >= 10, false
            ) desc,
            lift / nullif(rest_lift, 0) desc nulls last,
            contrast_p_value asc nulls last,
            places asc,
            consequent asc
    ) as rule_id,
    case
        when n_antecedents = 1 then [former.item_id]
        else [former.item_id, latter.item_id]
    end as antecedents,
    [target.item_id] as consequents,
    case
        when n_antecedents = 1 then [former.item_name]
        else [former.item_name, latter.item_name]
    end as antecedent_names,
    [target.item_name] as consequent_names,
    n_orders,
    antecedent_count / n_orders as antecedent_support,
    consequent_count / n_orders as consequent_support,
    n / n_orders as support,
    n as support_count,
    n_customers,
    effective_customers,
    confidence,
    lift,
    p_value,
    n_tests,
    p_value_bh,
    rest_orders,
    rest_count as rest_support_count,
    rest_count / nullif(rest_orders, 0) as rest_support,
    rest_confidence,
    rest_lift,
    confidence - rest_confidence as confidence_difference,
    lift / nullif(rest_lift, 0) as lift_ratio,
    contrast_p_value,
    contrast_p_value_bh,
from adjusted_rules
inner join segment_numbers using (segment_number)
inner join placed_items as former
    on antecedents[1] = former.place
left join placed_items as latter
    on antecedents[2] = latter.place
inner join placed_items as target
    on consequent = target.place;
