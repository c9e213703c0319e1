-- What the macros answer on the known shop, and what is true: 36 orders of 1 and 2,
--      three of 1 and 3, three of 3 alone.
with features as materialized (
    from custseg.customer_features('temp.main.custseg_check_lines')
),
sums as (
    select
        count(*) as n_customers,
        sum(frequency) as n_orders,
        sum(monetary) as spent,
        max(recency_days) - min(recency_days) as between_last_orders,
    from features
),
itemsets as materialized (
    from custseg.frequent_itemsets(
        'temp.main.custseg_check_lines', min_support := 0.05
    )
),
itemset_counts as (
    select string_agg(
        format('{} {}', items::varchar, support_count), ', '
        order by length asc, items asc
    ) as found
    from itemsets
),
rules as (
    select confidence, lift
    from custseg.mine_rules('temp.main.custseg_check_lines', min_support := 0.05)
    where antecedents = [1] and consequents = [2]
),
model as materialized (
    select custseg.kmeans_fit([frequency::double, monetary / 20], k := 2) as model
    from features
),
segments as (
    select
        count(distinct segment) as n_segments,
        count(distinct {'is_regular': customer_id < 6, 'segment': segment}) as n_kinds,
        max(list_min(distances)) as largest_distance,
    from (
        select
            customer_id,
            custseg.assign(model, [frequency::double, monetary / 20]) as segment,
            custseg.distances(model, [frequency::double, monetary / 20]) as distances,
        from features
        cross join model
    )
)
select 'features' as what,
    '12 customers, 42 orders, 750.0 spent, 40 days' as expected,
    format('{} customers, {} orders, {} spent, {} days',
        n_customers, n_orders, spent, between_last_orders) as found,
from sums
union all
select 'itemsets', '[1] 39, [2] 36, [3] 6, [1, 2] 36, [1, 3] 3', found
from itemset_counts
union all
-- confidence 36/39; lift 36/39 / (36/42)
select 'rules', 'confidence 0.9231, lift 1.0769',
    format('confidence {:.4f}, lift {:.4f}', confidence, lift)
from rules
union all
select 'a fit and its segments', '2 segments of 2 kinds, all at their centre',
    format('{} segments of {} kinds, {} their centre', n_segments, n_kinds,
        case when largest_distance < 1e-9 then 'all at' else 'some off' end)
from segments;
