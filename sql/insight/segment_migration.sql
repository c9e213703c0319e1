-- segment_migration(segments_before, segments_after): who moved from which segment to
--      which.
-- in:  segments_before, segments_after: relations of customer_id and segment (of any
--      type, compared as text), each customer at most once
-- out: from_segment (NULL: newcomers), to_segment (NULL: they are gone), n_customers,
--      share (of those of from_segment; NULL for newcomers), to_share (of those in
--      to_segment now; NULL for those gone), population_share (of all customers),
--      is_stay
create or replace macro custseg.segment_migration(
    segments_before, segments_after
) as table
with custseg_rows_before as (
    select customer_id, segment as from_segment
    from query_table(segments_before)
    where segment is not null
    qualify custseg.require(count(*) over (partition by customer_id) = 1,
        'segments_before must hold each customer once, got {} more than once '
        || '[repeated-rows]',
        customer_id)
),
custseg_rows_after as (
    select customer_id, segment as to_segment
    from query_table(segments_after)
    where segment is not null
    qualify custseg.require(count(*) over (partition by customer_id) = 1,
        'segments_after must hold each customer once, got {} more than once '
        || '[repeated-rows]',
        customer_id)
),
moves as (
    select from_segment, to_segment, count(*) as n_customers
    from custseg_rows_before
    full join custseg_rows_after
        on custseg_rows_before.customer_id = custseg_rows_after.customer_id
    group by from_segment, to_segment
)
select
    from_segment,
    to_segment,
    n_customers,
    case when from_segment is not null
        then n_customers / sum(n_customers) over (partition by from_segment)
    end as share,
    case when to_segment is not null
        then n_customers / sum(n_customers) over (partition by to_segment)
    end as to_share,
    n_customers / sum(n_customers) over () as population_share,
    coalesce(from_segment::varchar = to_segment::varchar, false) as is_stay,
from moves
order by from_segment asc nulls last, n_customers desc, to_segment asc nulls last;
