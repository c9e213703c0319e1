-- outliers(segments_with_distance, contamination): the customers that are furthest from
--      their segments.
-- in:  segments_with_distance(customer_id, segment, distance: finite, NULL is left
--      out), each customer once; contamination (0 to 0.5): the share of the customers,
--      rounded down to a whole number of them
-- out: customer_id, segment, distance, distance_rank (1 is the largest; equal distances
--      have equal ranks). Of customers at equal distances all are there, or none where
--      that would be too many
create or replace macro custseg.outliers(
    segments_with_distance, contamination := 0.01
) as table
with distances_found as materialized (
    select customer_id, segment, distance
    from query_table(segments_with_distance)
    where distance is not null
),
allowance as (
    select
        -- of a decimal, as 0.29 times 100 is below 29 in DOUBLE
        floor(count(*) * try_cast(contamination as decimal(18, 12)))::bigint
            as n_allowed,
    from distances_found
    having
        custseg.require(contamination >= 0 and contamination <= 0.5,
            'contamination must be in [0, 0.5], got {} [option]', contamination)
        and custseg.require(count(*) = count(distinct customer_id),
            'segments_with_distance must hold each customer once, got {} rows too '
            || 'many [repeated-rows]',
            count(*) - count(distinct customer_id))
        and custseg.require(coalesce(bool_and(isfinite(distance)), true),
            'distance must be finite, got {} [not-finite]', max(distance))
),
ranked as (
    select
        *,
        rank() over (order by distance desc) as distance_rank,
        count(*) over (order by distance desc) as n_as_far,
    from distances_found
)
select customer_id, segment, distance, distance_rank
from ranked
cross join allowance
where n_as_far <= n_allowed
order by distance_rank asc, customer_id asc;
