-- sequences(lines, within_days, min_support, min_count, item, min_confidence): what
--      customers buy in a later order, after an order with an item.
-- in:  lines as customer_purchases takes them, with ordered_at; within_days >= 1: how
--      much later at most; min_support (0, 1] (share of the orders that can be followed
--      for so long) or min_count >= 1 (orders); item: the name of the column to mine;
--      min_confidence [0, 1]
-- out: rule_id (1 is the surest), antecedent, consequent, antecedent_name,
--      consequent_name, n_orders (by the last within_days days no order could be
--      followed for long enough: they are left out), antecedent_count (orders with the
--      antecedent), consequent_count (followed by the consequent), support_count
--      (both), n_customers (of these), support, confidence, lift, median_days (until
--      the first such order), z_score, p_value (both NULL where no customer's orders
--      differ), n_tests, p_value_bh (as association_rules)
-- source: Mantel & Haenszel (1959), stratified by customer: a customer's orders with
--      the antecedent are compared to the same customer's other orders, so that who
--      buys both often makes no rule of it
create or replace macro custseg.sequences(
    lines, within_days := 30, min_support := 0.01, min_count := null,
    item := 'product_id', min_confidence := 0
) as table
with custseg_purchases as not materialized (
    from custseg.customer_purchases(lines, item := item)
),
custseg_names as materialized (
    from custseg.item_names(lines, item := item)
),
-- an occasion is a customer's order
order_items as materialized (
    select distinct customer_id, order_id, item_id
    from custseg_purchases
    where
        custseg.require(coalesce(within_days between 1 and 36500, false),
            'within_days must be from 1 to 36500, got {} [option]', within_days)
        and custseg.require(coalesce(min_confidence between 0 and 1, false),
            'min_confidence must be in [0, 1], got {} [option]', min_confidence)
),
occasions as materialized (
    select
        *,
        (dense_rank() over (order by customer_id asc))::integer as customer,
        (row_number() over (order by customer_id asc, ordered_at asc, order_id asc))
            ::integer as occasion,
        ordered_at <= max(ordered_at) over () - to_days(within_days::integer)
            as is_anchor,
    from (
        select customer_id, order_id, min(ordered_at) as ordered_at
        from custseg_purchases
        group by customer_id, order_id
    )
    where ordered_at is not null
),
limits as materialized (
    select
        count(*) as n_orders,
        custseg.least_count(count(*), min_support, min_count) as min_orders,
    from occasions
    where is_anchor
),
date_check as (
    select count(*) as n_occasions
    from occasions
    having custseg.require(
        count(*) > 0 or (select count(*) from order_items) = 0,
        'lines must have ordered_at, got no purchase with {} [missing-column]',
        'a date')
),
item_counts as materialized (
    select item_id, count(*) as n
    from order_items
    semi join occasions using (customer_id, order_id)
    group by item_id
),
-- by number: quicker to compare
placed_items as materialized (
    select item_id, (row_number() over (order by item_id asc))::integer as place
    from item_counts
    where n >= (select min_orders from limits)
),
occasion_items as materialized (
    select customer, occasion, ordered_at, is_anchor, place
    from order_items
    inner join occasions using (customer_id, order_id)
    inner join placed_items using (item_id)
),
antecedent_rows as materialized (
    select customer, occasion, place as antecedent
    from occasion_items
    where is_anchor
),
consequent_rows as materialized (
    select
        anchors.customer,
        anchors.occasion,
        later.place as consequent,
        min(epoch(later.ordered_at - anchors.ordered_at))::bigint as seconds,
    from occasions as anchors
    inner join occasion_items as later
        on anchors.customer = later.customer
            and later.ordered_at > anchors.ordered_at
            and later.ordered_at
                <= anchors.ordered_at + to_days(within_days::integer)
    where anchors.is_anchor
    group by all
),
antecedent_counts as materialized (
    select antecedent, count(*) as antecedent_count
    from antecedent_rows
    group by antecedent
),
consequent_counts as materialized (
    select consequent, count(*) as consequent_count
    from consequent_rows
    group by consequent
),
followed_rows as not materialized (
    select
        former.customer,
        antecedent::bigint << 32 | consequent as pair,
        seconds,
    from antecedent_rows as former
    inner join consequent_rows as latter using (occasion)
    where antecedent <> consequent
),
customer_pairs as materialized (
    select customer, pair, count(*) as n
    from followed_rows
    group by customer, pair
),
pairs as materialized (
    select pair, sum(n)::bigint as n, count(*) as n_customers
    from customer_pairs
    group by pair
    having sum(n) >= (select min_orders from limits)
),
delays as (
    select pair, median(seconds) / 86400 as median_days
    from followed_rows
    semi join pairs using (pair)
    group by pair
),
-- what a customer with two orders or more would have of a pair by chance
customer_sizes as materialized (
    select customer, count(*) as n_orders
    from occasions
    where is_anchor
    group by customer
    having count(*) >= 2
),
antecedents_by_customer as (
    select customer, antecedent, count(*) as n, any_value(n_orders) as n_orders
    from antecedent_rows
    inner join customer_sizes using (customer)
    group by customer, antecedent
),
consequents_by_customer as (
    select customer, consequent, count(*) as n
    from consequent_rows
    semi join customer_sizes using (customer)
    group by customer, consequent
),
-- as decimals, whose sum does not depend on the order of the rows
chances as (
    select
        pair,
        sum((n * latter_n / n_orders)::decimal(38, 12))::double
            as expected,
        sum((
            n * (n_orders - n)::double * latter_n * (n_orders - latter_n)
            / (pow(n_orders, 2) * (n_orders - 1))
        )::decimal(38, 12))::double as variance,
    from (
        select
            former.n,
            former.n_orders,
            latter.n as latter_n,
            antecedent::bigint << 32 | consequent as pair,
        from antecedents_by_customer as former
        inner join consequents_by_customer as latter using (customer)
    )
    semi join pairs using (pair)
    group by pair
),
observed as (
    select pair, sum(n)::bigint as n_observed
    from customer_pairs
    semi join customer_sizes using (customer)
    group by pair
),
measured_pairs as (
    select
        pairs.*,
        former.item_id as antecedent,
        latter.item_id as consequent,
        limits.n_orders,
        antecedent_count,
        consequent_count,
        median_days,
        n / antecedent_count as confidence,
        case when variance > 0
            then (coalesce(n_observed, 0) - expected) / sqrt(variance)
        end as z_score,
        custseg.normal_tail(z_score) as p_value,
        (select count(*) * (count(*) - 1) from placed_items) as n_tests,
    from pairs
    cross join limits
    cross join date_check
    inner join placed_items as former
        on pair >> 32 = former.place
    inner join placed_items as latter
        on pair & 4294967295 = latter.place
    inner join antecedent_counts
        on pair >> 32 = antecedent_counts.antecedent
    inner join consequent_counts
        on pair & 4294967295 = consequent_counts.consequent
    inner join delays using (pair)
    left join chances using (pair)
    left join observed using (pair)
    where n >= min_confidence * antecedent_count * (1 - 1e-12)
),
ranked_pairs as (
    select *, count(p_value) over (order by p_value asc) as n_as_likely
    from measured_pairs
)
select
    row_number() over (
        order by z_score desc nulls last, n desc, antecedent asc, consequent asc
    ) as rule_id,
    antecedent,
    consequent,
    former.item_name as antecedent_name,
    latter.item_name as consequent_name,
    n_orders,
    antecedent_count,
    consequent_count,
    n as support_count,
    n_customers,
    n / n_orders as support,
    confidence,
    confidence / (consequent_count / n_orders) as lift,
    median_days,
    z_score,
    p_value,
    n_tests,
    case when p_value is not null then least(1, min(p_value * n_tests / n_as_likely)
        over (order by p_value desc nulls first)) end as p_value_bh,
from ranked_pairs
left join custseg_names as former
    on antecedent = former.item_id
left join custseg_names as latter
    on consequent = latter.item_id;
