-- segment_profiles(features, segments): what each segment is like beside all customers,
--      feature by feature.
-- in:  features as customer_features gives them (numeric columns and department_share);
--      segments(customer_id, segment)
-- out: segment, feature, department (NULL but for department_share), n_values, mean,
--      median, population_mean, lift (mean / population_mean; NULL at 0), z_score
--      ((mean - population_mean) / population standard deviation; NULL at 0),
--      distinctiveness_rank (1 is the largest z_score in size, within the segment)
create or replace macro custseg.segment_profiles(features, segments) as table
with rows_found as materialized (
    select feature_rows.* exclude (customer_id), assigned.segment
    from (
        select null::map(varchar, double) as department_share where false
        union all by name
        from query_table(features)
    ) as feature_rows
    inner join query_table(segments) as assigned
        on feature_rows.customer_id = assigned.customer_id
),
column_types as (
    select try_cast(type_row as map(varchar, varchar)) as types
    from (
        select typeof(columns(* exclude (department_share, segment)))
        from rows_found
        limit 1
    ) as type_row
),
numeric_columns as (
    select list_filter(
        map_keys(types),
        lambda name: custseg.is_numeric(map_extract_value(types, name))
    ) as names
    from column_types
),
departments as (
    select list(distinct department order by department asc) as names
    from (select unnest(map_keys(department_share)) as department from rows_found)
),
feature_values as (
    select
        segment,
        unnest(numeric_columns.names) as feature,
        null as department,
        unnest(list_transform(
            numeric_columns.names, lambda name: map_extract_value(numbers, name)
        )) as value,
    from (
        select segment, try_cast(number_row as map(varchar, double)) as numbers
        from (
            select
                segment,
                struct_pack(*columns(* exclude (department_share, segment)))
                    as number_row,
            from rows_found
        )
    )
    cross join numeric_columns
    union all
    select
        segment,
        'department_share',
        unnest(departments.names),
        unnest(list_transform(
            departments.names,
            lambda name: coalesce(map_extract_value(department_share, name), 0)
        )),
    from rows_found
    cross join departments
    where department_share is not null
),
-- each segment's values and, as segment NULL, all of them
summaries as (
    select
        segment,
        feature_values.feature,
        feature_values.department,
        count(*) as n_values,
        custseg.stable_mean(value, origin, reach) as mean,
        median(value) as median,
        custseg.stable_stddev(value, origin, reach) as spread,
    from feature_values
    inner join (
        select
            feature,
            department,
            min(value) as origin,
            custseg.reach(max(value) - min(value)) as reach,
        from feature_values
        group by feature, department
    ) as value_ranges
        on feature_values.feature = value_ranges.feature
            and feature_values.department is not distinct from value_ranges.department
    where value is not null
    group by grouping sets (
        (segment, feature_values.feature, feature_values.department),
        (feature_values.feature, feature_values.department)
    )
)
select
    own.segment,
    own.feature,
    own.department,
    own.n_values,
    own.mean,
    own.median,
    population.mean as population_mean,
    own.mean / nullif(population.mean, 0) as lift,
    (own.mean - population.mean) / nullif(population.spread, 0) as z_score,
    row_number() over (
        partition by own.segment
        order by
            abs(z_score) desc nulls last,
            own.feature asc,
            own.department asc nulls last
    ) as distinctiveness_rank,
from summaries as own
inner join summaries as population
    on own.feature = population.feature
        and own.department is not distinct from population.department
where own.segment is not null and population.segment is null
order by own.segment asc, distinctiveness_rank asc;
