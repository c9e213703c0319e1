-- segment_profiles(features, segments): what each segment is like beside all customers,
--      feature by feature.
-- in:  features as customer_features gives them (numeric columns and department_share);
--      segments(customer_id, segment)
-- out: segment, feature, department (NULL but for department_share), n_values, mean,
--      median, population_mean, lift (mean / population_mean; NULL at 0), share (the
--      segment's part of the sum over all customers; NULL at 0 and for values of both
--      signs), z_score ((mean - population_mean) / population standard deviation; NULL
--      at 0), distinctiveness_rank (1 is the largest z_score in size, within the
--      segment)
create or replace macro custseg.segment_profiles(features, segments) as table
with rows_found as not materialized (
    select feature_rows.* exclude (customer_id), assigned.segment
    from (
        select null::map(varchar, double) as department_share where false
        union all by name
        from query_table(features)
    ) as feature_rows
    inner join query_table(segments) as assigned
        on feature_rows.customer_id = assigned.customer_id
    where
        assigned.segment is not null
        and custseg.plain_texts()
),
column_types as (
    select try_cast(custseg_types as map(varchar, varchar)) as types
    from (
        select typeof(columns(* exclude (department_share, segment)))
        from rows_found
        limit 1
    ) as custseg_types
),
names_found as (
    select
        map_keys(types) as all_names,
        list_filter(
            all_names, lambda name: custseg.is_numeric(map_extract_value(types, name))
        ) as names,
        list_transform(names, lambda name: list_position(all_names, name)) as positions,
        (
            select coalesce(list(distinct department order by department asc), [])
            from (
                select unnest(map_keys(department_share)) as department
                from rows_found
            )
        ) as departments,
        (select list(distinct segment) from rows_found) as segments_found,
    from column_types
),
number_rows as materialized (
    select
        segment,
        list_position(segments_found, segment) as segment_number,
        list_concat(
            list_select(numbers, positions),
            list_transform(departments, lambda name: case
                when department_share is not null
                    then coalesce(map_extract_value(department_share, name), 0)
            end)
        ) as numbers,
    from (
        select
            segment,
            department_share,
            list_value(*columns(* exclude (segment, department_share))) as numbers,
        from (
            select
                segment,
                department_share,
                custseg.to_number(columns(* exclude (segment, department_share))),
            from rows_found
        )
    )
    cross join names_found
),
feature_values as not materialized (
    select
        segment,
        segment_number,
        unnest(numbers) as value,
        generate_subscripts(numbers, 1) as feature_number,
    from number_rows
),
value_ranges as materialized (
    select
        feature_number,
        min(value) as origin,
        custseg.reach(max(value) - min(value)) as reach,
    from feature_values
    group by feature_number
    having custseg.require(
        coalesce(greatest(abs(min(value)), abs(max(value))) <= 1e100, true),
        'features must be finite and within 1e100, got {} [not-finite]',
        max(abs(value)))
),
-- each segment's values and, as segment NULL, all of them
summaries as (
    select
        segment,
        segment_number * (select count(*) from value_ranges) + feature_number
            as position,
        feature_number,
        count(*) as n_values,
        min(value) as lowest,
        max(value) as highest,
        custseg.stable_mean(value, origin, reach) as mean,
        custseg.stable_stddev(value, origin, reach) as spread,
    from feature_values
    inner join value_ranges using (feature_number)
    where value is not null
    group by grouping sets (
        (segment, segment_number, feature_number), (feature_number)
    )
),
custseg_values as not materialized (
    select
        segment_number * (select count(*) from value_ranges) + feature_number
            as position,
        value,
    from feature_values
),
medians as (
    select position, quantiles[2] as median
    from custseg.quantiles_of_values('custseg_values')
),
described as (
    select
        summaries.*,
        coalesce(names[feature_number], 'department_share') as feature,
        departments[greatest(feature_number - len(names), 0)] as department,
        median,
    from summaries
    cross join names_found
    left join medians using (position)
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
    case when population.lowest >= 0 or population.highest <= 0
        then own.n_values * own.mean / nullif(population.n_values * population.mean, 0)
    end as share,
    (own.mean - population.mean) / nullif(population.spread, 0) as z_score,
    row_number() over (
        partition by own.segment
        order by
            abs(z_score) desc nulls last,
            own.feature asc,
            own.department asc nulls last
    ) as distinctiveness_rank,
from described as own
inner join described as population using (feature_number)
where own.segment is not null and population.segment is null
order by own.segment asc, distinctiveness_rank asc;
