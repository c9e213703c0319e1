-- silhouettes_of_means(members, means): how far each customer is from the own segment's
--      mean and from the nearest other one.
-- in:  members(name, customer_id, segment, features); means as segment_means gives them
-- out: name, customer_id, segment, silhouette, second_segment, distance,
--      second_distance: see silhouettes
create or replace macro custseg.silhouettes_of_means(members, means) as table
with custseg_members_of_means as not materialized (
    from query_table(members)
),
custseg_means_read as not materialized (
    from query_table(means)
),
clusterings as (
    select
        name,
        list({'segment': segment, 'mean': mean} order by segment asc) as segment_list,
    from custseg_means_read
    group by name
),
distances_found as (
    select
        custseg_members_of_means.name,
        customer_id,
        custseg_members_of_means.segment,
        n_customers,
        segment_list,
        list_distance(mean, features) as distance,
        list_transform(segment_list, lambda other: case
            when other.segment <> custseg_members_of_means.segment
                then list_distance(other.mean, features)
        end) as other_distances,
    from custseg_members_of_means
    inner join custseg_means_read
        on custseg_members_of_means.name is not distinct from custseg_means_read.name
            and custseg_members_of_means.segment = custseg_means_read.segment
    inner join clusterings
        on custseg_members_of_means.name is not distinct from clusterings.name
),
nearest_others as (
    select *, list_min(other_distances) as second_distance from distances_found
)
select
    name,
    customer_id,
    segment,
    case
        when second_distance is null then null
        when n_customers = 1 or greatest(distance, second_distance) = 0 then 0
        else (second_distance - distance) / greatest(distance, second_distance)
    end::double as silhouette,
    case
        when second_distance is not null
            then segment_list[list_position(other_distances, second_distance)].segment
    end as second_segment,
    distance,
    second_distance,
from nearest_others;
