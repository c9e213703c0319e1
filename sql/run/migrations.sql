-- Who moved: of each run that goes on from another, how many customers came from which
--      segment (NULL: they are new) and are in which now (NULL: they are gone); share
--      is of those who were in from_segment.
create or replace view custseg.migrations as
with pairs_of_runs as (
    select run_name, run_id, previous_run_id
    from custseg.runs
    where previous_run_id is not null
),
rows_before as (
    select pairs_of_runs.run_id, customer_id, segment as from_segment
    from pairs_of_runs
    inner join custseg.segment_history
        on pairs_of_runs.previous_run_id = segment_history.run_id
),
rows_after as (
    select pairs_of_runs.run_id, customer_id, segment as to_segment
    from pairs_of_runs
    inner join custseg.segment_history
        on pairs_of_runs.run_id = segment_history.run_id
),
moves as (
    select run_id, from_segment, to_segment, count(*) as n_customers
    from rows_before
    full join rows_after using (run_id, customer_id)
    group by run_id, from_segment, to_segment
)
select
    run_name,
    run_id,
    previous_run_id,
    from_segment,
    to_segment,
    n_customers,
    case when from_segment is not null
        then n_customers / sum(n_customers) over (partition by run_id, from_segment)
    end as share,
from moves
inner join pairs_of_runs using (run_id)
order by run_id asc, from_segment asc nulls last, n_customers desc, to_segment asc;
