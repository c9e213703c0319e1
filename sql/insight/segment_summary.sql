-- segment_summary(features, segments): the size of each segment and its share of
--      customers, orders and revenue.
-- in:  features as customer_features gives them (or any others: no revenue, no orders);
--      segments(customer_id, segment)
-- out: segment, n_customers, customer_share (0 to 1), revenue (currency; NULL without
--      amounts), revenue_share (of the net revenue), n_orders, order_share (0 to 1)
create or replace macro custseg.segment_summary(features, segments) as table
with segment_totals as (
    select
        assigned.segment,
        count(*) as n_customers,
        sum(feature_rows.monetary::decimal(38, 4)) as revenue,
        sum(feature_rows.frequency)::bigint as n_orders,
    from (
        select null::decimal(38, 4) as monetary, null::bigint as frequency where false
        union all by name
        from query_table(features)
    ) as feature_rows
    inner join query_table(segments) as assigned
        on feature_rows.customer_id = assigned.customer_id
    group by assigned.segment
)
select
    segment,
    n_customers,
    n_customers / sum(n_customers) over () as customer_share,
    revenue::double as revenue,
    revenue::double / nullif((sum(revenue) over ())::double, 0) as revenue_share,
    n_orders,
    n_orders / sum(n_orders) over () as order_share,
from segment_totals
order by segment asc;
