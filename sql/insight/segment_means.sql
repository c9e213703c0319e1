-- segment_means(members): the mean vector of each segment, the same bits for any order
--      of the rows.
-- in:  members(name, segment, features DOUBLE[]), as segment_members gives them; name
--      tells several clusterings apart
-- out: name, segment, n_customers, mean DOUBLE[]; and, as two parts that lose no digits
--      far from the origin, least DOUBLE[] (the smallest values) and beyond DOUBLE[]
--      (mean - least)
create or replace macro custseg.segment_means(members) as table
with custseg_members_to_average as not materialized (
    from query_table(members)
),
value_ranges as (
    select
        name,
        segment,
        place,
        min(coordinate) as least,
        custseg.reach(max(coordinate) - min(coordinate)) as reach,
    from (
        select
            name,
            segment,
            generate_subscripts(features, 1) as place,
            unnest(features) as coordinate,
        from custseg_members_to_average
    )
    group by name, segment, place
),
-- as lists, so that each member finds them once, not once per coordinate
segment_ranges as (
    select
        name,
        segment,
        list(least order by place asc) as leasts,
        list(reach order by place asc) as reaches,
    from value_ranges
    group by name, segment
),
coordinate_means as (
    select
        name,
        segment,
        place,
        count(*) as n_customers,
        any_value(least) as least,
        custseg.stable_mean(coordinate - least, 0::double, reach) as beyond,
    from (
        select
            member_rows.name,
            member_rows.segment,
            generate_subscripts(features, 1) as place,
            unnest(features) as coordinate,
            unnest(leasts) as least,
            unnest(reaches) as reach,
        from custseg_members_to_average as member_rows
        inner join segment_ranges
            on member_rows.name is not distinct from segment_ranges.name
                and member_rows.segment = segment_ranges.segment
    )
    group by name, segment, place
)
select
    name,
    segment,
    max(n_customers) as n_customers,
    list(least + beyond order by place asc) as mean,
    list(least order by place asc) as least,
    list(beyond order by place asc) as beyond,
from coordinate_means
group by name, segment;
