-- metrics_of_members(members): the measures of cluster_metrics for several clusterings.
-- in:  members(name, customer_id, segment, features), name telling them apart
-- out: name, then as cluster_metrics
create or replace macro custseg.metrics_of_members(members) as table
with custseg_members_in as not materialized (
    from query_table(members)
),
custseg_means_found as materialized (
    from custseg.segment_means('custseg_members_in')
),
custseg_distances as materialized (
    from custseg.silhouettes_of_means('custseg_members_in', 'custseg_means_found')
),
largest_distances as (
    select
        name,
        segment,
        max(distance) as max_distance,
        custseg.reach(max_distance) as reach,
        custseg.reach(max_distance * max_distance) as square_reach,
    from custseg_distances
    group by name, segment
),
spreads as (
    select
        name,
        segment,
        count(*) as n_customers,
        count(*) * custseg.stable_mean(distance * distance, 0::double, square_reach)
            as inertia,
        custseg.stable_mean(silhouette, 0::double, 1::double) as silhouette,
        custseg.stable_mean(distance, 0::double, reach) as mean_distance,
        any_value(max_distance) as max_distance,
    from (
        select custseg_distances.*, max_distance, reach, square_reach
        from custseg_distances
        inner join largest_distances
            on custseg_distances.name is not distinct from largest_distances.name
                and custseg_distances.segment = largest_distances.segment
    )
    group by name, segment
),
segments_found as materialized (
    select spreads.*, means_found.least, means_found.beyond
    from spreads
    inner join custseg_means_found as means_found
        on spreads.name is not distinct from means_found.name
            and spreads.segment = means_found.segment
),
-- the distance between two means, from differences that lose no digits
mean_pairs as (
    select
        own.name,
        own.segment,
        other.segment as other_segment,
        own.n_customers * other.n_customers::double as n_pairs,
        own.mean_distance + other.mean_distance as spread,
        list_distance(
            list_transform(
                list_zip(own.least, other.least), lambda pair: pair[1] - pair[2]
            ),
            list_transform(
                list_zip(other.beyond, own.beyond), lambda pair: pair[1] - pair[2]
            )
        ) as gap,
    from segments_found as own
    inner join segments_found as other
        on own.name is not distinct from other.name and own.segment <> other.segment
),
separations as (
    select
        name,
        segment,
        case when min(gap) > 0 then max(spread / nullif(gap, 0)) end as davies_bouldin,
        list_sum(list(n_pairs * gap * gap order by other_segment asc)) as separation,
    from mean_pairs
    group by name, segment
),
segment_metrics as materialized (
    select segments_found.*, davies_bouldin, separation
    from segments_found
    left join separations
        on segments_found.name is not distinct from separations.name
            and segments_found.segment = separations.segment
),
overall_metrics as (
    select
        name,
        sum(n_customers)::bigint as n_customers,
        list_sum(list(inertia order by segment asc)) as total_inertia,
        list_sum(list(silhouette * n_customers order by segment asc)) / sum(n_customers)
            as silhouette,
        case
            when bool_and(davies_bouldin is not null)
                then list_sum(list(davies_bouldin order by segment asc)) / count(*)
        end as davies_bouldin,
        -- the squares of all pairs of means, weighted: n times the sum of squares
        -- between segments, each pair twice
        list_sum(list(separation order by segment asc)) / 2 / sum(n_customers)
            / nullif(count(*) - 1, 0) * (sum(n_customers) - count(*))
            / nullif(total_inertia, 0) as calinski_harabasz,
        list_sum(list(mean_distance * n_customers order by segment asc))
            / sum(n_customers) as mean_distance,
        max(max_distance) as max_distance,
    from segment_metrics
    group by name
)
select
    name,
    null as segment,
    n_customers,
    1::double as customer_share,
    total_inertia as inertia,
    silhouette,
    davies_bouldin,
    calinski_harabasz,
    mean_distance,
    max_distance,
from overall_metrics
union all
select
    own.name,
    own.segment,
    own.n_customers,
    own.n_customers / overall_metrics.n_customers,
    own.inertia,
    own.silhouette,
    own.davies_bouldin,
    null,
    own.mean_distance,
    own.max_distance,
from segment_metrics as own
inner join overall_metrics on own.name is not distinct from overall_metrics.name
order by name asc, segment asc nulls first;
