-- The segments of a run, with the names that people have given them.
with labels as (
    select segment, min(label) as label
    from custseg.segment_labels
    where run_name = $run_name
    group by segment
)
select
    segment,
    label,
    n_customers,
    customer_share,
    revenue,
    revenue_share,
    n_orders,
    order_share,
from custseg.segment_summary
left join labels using (segment)
where run_name = $run_name
order by segment asc;
