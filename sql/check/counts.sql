-- Whether the tables of a run have as many customers as it counted.
with latest as (
    select n_customers
    from custseg.runs
    where run_name = $run_name
    order by run_id desc
    limit 1
),
counted as (
    select count(*) as n from custseg.customer_features where run_name = $run_name
    union all
    select count(distinct customer_id) from custseg.segments where run_name = $run_name
    union all
    select count(*) from custseg.segments where run_name = $run_name
    union all
    select sum(n_customers) from custseg.segment_summary where run_name = $run_name
)
select
    count(*) as n_checked,
    count(*) filter (counted.n is distinct from latest.n_customers) as n_wrong,
from counted
cross join latest;
