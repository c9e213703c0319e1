-- The RFM segments of a run: how many customers and how much revenue each holds.
with descriptions as (
    select rfm_segment, min(description) as description
    from custseg.rfm_names
    group by rfm_segment
),
-- joined before it is counted: the other way round DuckDB before 1.5.3 at times finds
-- no description
described_customers as (
    select rfm_segment, priority, customer_id, monetary, description
    from custseg.rfm_segments
    left join descriptions using (rfm_segment)
    where run_name = $run_name
),
counts as (
    select
        rfm_segment,
        min(description) as description,
        min(priority) as priority,
        count(*) as n_customers,
        sum(monetary order by customer_id asc) as revenue,
    from described_customers
    group by rfm_segment
)
select
    rfm_segment,
    description,
    n_customers,
    n_customers / sum(n_customers) over () as customer_share,
    revenue / nullif(sum(revenue) over (), 0) as revenue_share,
from counts
order by priority asc, rfm_segment asc;
