-- The latest run of a name, and what its segments add up to.
with totals as (
    select
        count(*) as n_segments,
        sum(n_orders)::bigint as n_orders,
        sum(revenue)::double as revenue,
    from custseg.segment_summary
    where run_name = $run_name
)
select
    run_id,
    run_name,
    created_at,
    source,
    options,
    versions,
    fit,
    previous_run_id,
    n_lines,
    n_lines_kept,
    n_customers,
    first_order,
    last_order,
    notes,
    totals.*,
from custseg.runs
cross join totals
where run_name = $run_name
order by run_id desc
limit 1;
