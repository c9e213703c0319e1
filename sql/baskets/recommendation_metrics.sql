-- recommendation_metrics(lines, n, min_count, item): would the offers have been bought?
--      Each customer's last order in time is held out, the rules are mined of the
--      others, and the offers compared to what is popular and to the customer's own
--      favourites.
-- in:  lines as customer_purchases takes them, with ordered_at; n >= 1: offers for each
--      customer; min_count >= 1: orders, from which pairs are frequent; item: the name
--      of the column to mine
-- out: task ('new': items of the last order that the customer had not bought before,
--      and nothing bought before is offered; 'any': all its items), method ('rules':
--      recommendations of both kinds by score; 'popularity': the items in most orders;
--      'favourites': the customer's own most frequent items, then the latest), n,
--      n_customers (with an earlier order and such items), n_hits (of them, with an
--      offer bought), hit_rate, mrr (mean of 1 / rank of the first offer bought, 0
--      where none was), coverage (share of all items that is offered to anyone)
create or replace macro custseg.recommendation_metrics(
    lines, n := 10, min_count := 30, item := 'product_id'
) as table
with custseg_purchases as materialized (
    from custseg.customer_purchases(lines, item := item)
    where
        ordered_at is not null
        and custseg.require(coalesce(n >= 1, false),
            'n must be at least 1, got {} [option]', n)
),
last_orders as (
    select customer_id, arg_max(order_id, {'at': ordered_at, 'order': order_id})
        as order_id
    from (
        select customer_id, order_id, min(ordered_at) as ordered_at
        from custseg_purchases
        group by customer_id, order_id
    )
    group by customer_id
    having count(*) >= 2
),
test_items as materialized (
    select distinct customer_id, item_id
    from custseg_purchases
    semi join last_orders using (customer_id, order_id)
),
custseg_training as materialized (
    from custseg_purchases
    anti join last_orders using (customer_id, order_id)
),
bought_items as materialized (
    select
        customer_id,
        item_id,
        count(distinct order_id) as n_orders,
        max(ordered_at) as last_bought,
    from custseg_training
    group by customer_id, item_id
),
popular_items as materialized (
    select
        item_id,
        row_number() over (order by count(distinct order_id) desc, item_id asc)
            as popularity,
    from custseg_training
    group by item_id
),
custseg_rules as materialized (
    from custseg.mine_rules(
        'custseg_training',
        item := 'item_id',
        min_count := min_count,
        max_length := 2,
        min_confidence := 0
    )
),
wanted_items as materialized (
    select 'any' as task, customer_id, item_id
    from test_items
    union all
    select 'new', customer_id, item_id
    from test_items
    anti join bought_items using (customer_id, item_id)
),
wanted_customers as (
    select distinct task, customer_id
    from wanted_items
),
-- as many as it takes to have n of them that a customer has not bought
popular_offers as (
    select task, customer_id, item_id, popularity
    from wanted_customers
    cross join popular_items
    where popularity <= n and task = 'any'
    union all
    select task, customer_id, item_id, popularity
    from wanted_customers
    inner join (
        select customer_id, count(*) as n_bought
        from bought_items
        group by customer_id
    ) using (customer_id)
    inner join popular_items
        on popularity <= n + least(n_bought, 1000)
    anti join bought_items using (customer_id, item_id)
    where task = 'new'
),
scored_offers as (
    select
        unnest(['new', 'any']) as task,
        'rules' as method,
        customer_id,
        item_id,
        score,
    from custseg.recommendations(
        'custseg_training', 'custseg_rules', item := 'item_id', n := n
    )
    union all
    select task, 'popularity', customer_id, item_id, -popularity
    from popular_offers
    union all
    select
        'any',
        'favourites',
        customer_id,
        item_id,
        row_number() over (order by n_orders asc, last_bought asc, item_id desc),
    from bought_items
),
ranked_offers as materialized (
    select
        *,
        row_number() over (
            partition by task, method, customer_id order by score desc, item_id asc
        ) as rank,
    from scored_offers
    semi join wanted_customers using (task, customer_id)
    qualify rank <= n
),
first_hits as (
    select task, method, customer_id, min(rank) as rank
    from ranked_offers
    semi join wanted_items using (task, customer_id, item_id)
    group by task, method, customer_id
),
coverages as (
    select
        task,
        method,
        count(distinct item_id) / (select count(*) from popular_items) as coverage,
    from ranked_offers
    group by task, method
),
customer_counts as (
    select task, count(*) as n_customers
    from wanted_customers
    group by task
)
select
    task,
    method,
    n::integer as n,
    n_customers,
    count(rank) as n_hits,
    count(rank) / n_customers as hit_rate,
    coalesce(sum((1 / rank)::decimal(38, 12)), 0)::double / n_customers as mrr,
    coverage,
from coverages
inner join customer_counts using (task)
left join first_hits using (task, method)
group by task, method, n_customers, coverage
order by task desc, hit_rate desc, method asc;
