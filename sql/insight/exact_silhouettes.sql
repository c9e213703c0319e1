-- exact_silhouettes(vectors, segments, sample_size): how well each customer of a sample
--      fits the own segment, by the distances between all customers of the sample.
-- in:  vectors(customer_id, features), segments(customer_id, segment): see
--      segment_members; sample_size (>= 1): so many customers, or all if there are
--      fewer, whose features have the smallest hashes; of customers that are alike, any
-- out: customer_id, segment, silhouette (-1 to 1; 0 in a segment of one; NULL if there
--      is no other segment), second_segment (the nearest other one; the lower of two),
--      distance (mean Euclidean distance to the others of the own segment; NULL if
--      there are none), second_distance (to those of second_segment)
-- source: Rousseeuw (1987)
create or replace macro custseg.exact_silhouettes(
    vectors, segments, sample_size := 2000
) as table
with members_found as (
    select
        *,
        -- customers that are alike are drawn one by one, not all or none
        row_number() over (
            partition by features, segment order by customer_id asc
        ) as copy,
    from custseg.segment_members(vectors, segments)
),
sampled as materialized (
    select customer_id, segment, features
    from members_found
    where custseg.require(sample_size >= 1,
        'sample_size must be at least 1, got {} [option]', sample_size)
    order by hash(features, copy) asc, features asc, segment asc, copy asc
    limit greatest(sample_size, 1)
),
segments_sampled as (
    select segment, list(features order by features asc) as feature_lists
    from sampled
    group by segment
),
mean_distances as (
    select
        sampled.customer_id,
        sampled.segment,
        segments_sampled.segment as other_segment,
        list_sum(list_transform(
            feature_lists, lambda other: list_distance(other, features)
        )) / nullif(
            len(feature_lists) - (sampled.segment = segments_sampled.segment)::bigint, 0
        ) as distance,
    from sampled
    cross join segments_sampled
),
nearest as (
    select
        customer_id,
        segment,
        any_value(distance) filter (segment = other_segment) as distance,
        min({'distance': distance, 'segment': other_segment})
            filter (segment <> other_segment) as second,
        count(*) as n_segments,
    from mean_distances
    group by customer_id, segment
)
select
    customer_id,
    segment,
    case
        when n_segments = 1 then null
        when distance is null or greatest(distance, second.distance) = 0 then 0
        else (second.distance - distance) / greatest(distance, second.distance)
    end::double as silhouette,
    second.segment as second_segment,
    distance,
    second.distance as second_distance,
from nearest;
