-- The RFM segments of a run: how many customers and how much revenue each holds.
with counts as (
    select
        rfm_segment,
        min(priority) as priority,
        count(*) as n_customers,
        sum(monetary order by customer_id asc) as revenue,
    from custseg.rfm_segments
    where run_name = $run_name
    group by rfm_segment
),
descriptions as (
    select rfm_segment, min(description) as description
    from custseg.rfm_names
    group by rfm_segment
)
select
    rfm_segment,
    description,
    n_customers,
    n_customers / sum(n_customers) over () as customer_share,
    revenue / nullif(sum(revenue) over (), 0) as revenue_share,
from counts
left join descriptions using (rfm_segment)
order by priority asc, rfm_segment asc;
