-- feature_transform(features, include, exclude, weights, transforms): how to get from
--      raw features to the vectors that are clustered.
-- in:  features: any relation with customer_id and numeric or boolean columns, and
--      optionally department_share MAP(VARCHAR, DOUBLE); include, exclude: lists of
--      column names. Default: the columns of default_features where there are any, else
--      every numeric one; and the departments with at least 1% of the average
--      customer's purchases. weights (column to a number above 0: how much further its
--      differences count) and transforms (column to 'log' or 'identity') as MAP or
--      STRUCT
-- out: transform: a list of {name, department, transform, fill, unit, center, scale,
--      weight}: a raw value x becomes weight * (transformed(coalesce(x, fill),
--      transform, unit) - center) / scale. transform is 'log' for a long right tail;
--      fill is the median, unit the median size, center and scale are mean and standard
--      deviation of the transformed values; a department's weight is sqrt(2 /
--      departments), so that they weigh two features. Columns that are constant, but
--      for rounding, are dropped
create or replace macro custseg.feature_transform(
    features, include := null, exclude := null, weights := null, transforms := null
) as table
with feature_rows as not materialized (
    select * exclude (customer_id)
    from (
        select null::map(varchar, double) as department_share where false
        union all by name
        from query_table(features)
    )
),
columns_found as (
    select
        map_keys(types) as all_names,
        list_filter(
            map_keys(types),
            lambda name: custseg.is_numeric(map_extract_value(types, name))
        ) as numeric_names,
    from (
        select try_cast(custseg_types as map(varchar, varchar)) as types
        from (
            select typeof(columns(* exclude (department_share)))
            from feature_rows
            limit 1
        ) as custseg_types
    )
),
columns_chosen as (
    select
        list_filter(
            coalesce(
                include,
                nullif(list_filter(
                    custseg.default_features(), lambda name: name in numeric_names
                ), []),
                numeric_names
            ),
            lambda name:
                name in all_names
                and name not in coalesce(exclude, [])
                and name <> 'department_share'
        ) as names,
        list_transform(names, lambda name: list_position(all_names, name)) as positions,
        coalesce(try_cast(weights as map(varchar, double)), map {}) as weight_of,
        coalesce(transforms::map(varchar, varchar), map {}) as transform_of,
    from columns_found
    where
        custseg.require(
            len(list_filter(
                coalesce(exclude::varchar[], []),
                lambda name: coalesce(
                    name not in list_append(all_names, 'department_share'), true
                )
            )) = 0,
            'exclude must name columns of the features, got {} [option]', exclude
        )
        and custseg.require(
            len(list_filter(
                coalesce(include::varchar[], []),
                lambda name: coalesce(
                    name not in list_append(numeric_names, 'department_share'), true
                )
            )) = 0,
            'include must name numeric columns of the features, got {} [option]',
            include
        )
        and custseg.require(
            coalesce(
                list_has_all(
                    list_append(numeric_names, 'department_share'),
                    map_keys(try_cast(weights as map(varchar, double)))
                )
                and coalesce(list_bool_and(list_transform(
                    map_values(try_cast(weights as map(varchar, double))),
                    lambda weight: coalesce(isfinite(weight) and weight > 0, false)
                )), true),
                weights is null
            ),
            'weights must map numeric columns of the features to numbers above 0, '
            || 'got {} [option]', weights
        )
        and custseg.require(
            list_has_all(
                numeric_names,
                coalesce(map_keys(transforms::map(varchar, varchar)), [])
            )
            and list_has_all(
                ['log', 'identity'],
                coalesce(map_values(transforms::map(varchar, varchar)), [])
            ),
            'transforms must map numeric columns of the features to log or identity, '
            || 'got {} [option]', transforms
        )
),
custseg_values as not materialized (
    select
        generate_subscripts(names, 1) as position,
        unnest(list_select(numbers, positions)) as value,
    from (
        select list_value(*columns(*)) as numbers
        from (
            select custseg.to_number(columns(* exclude (department_share)))
            from feature_rows
        )
    )
    cross join columns_chosen
),
value_ranges as (
    select
        position,
        unit,
        quantiles,
        coalesce(
            transform_of[names[position]],
            case
                when quantiles[3] - quantiles[2] > 3 * (quantiles[2] - quantiles[1])
                    then 'log'
                else 'identity'
            end
        ) as transform,
        custseg.transformed(quantiles[2], transform, unit) as origin,
        custseg.reach(greatest(
            custseg.transformed(highest, transform, unit) - origin,
            origin - custseg.transformed(lowest, transform, unit)
        )) as reach,
    from custseg.quantiles_of_values('custseg_values')
    cross join columns_chosen
    where custseg.require(
        coalesce(greatest(abs(lowest), abs(highest)) <= 1e100, true),
        'features must be finite and within 1e100, got ' || names[position]
        || ' from {} to '
        || highest || ' [not-finite]', lowest)
),
value_moments as (
    select
        position,
        any_value(transform) as transform,
        any_value(unit) as unit,
        any_value(quantiles[2]) as median,
        custseg.stable_mean(scaled, origin, reach) as mean,
        custseg.stable_stddev(scaled, origin, reach) as spread,
    from (
        select *, custseg.transformed(value, transform, unit) as scaled
        from custseg_values
        inner join value_ranges using (position)
    )
    group by position
),
-- a customer who has none of a department has a share of 0 there
share_moments as (
    select
        department,
        count(*) / any_value(custseg_n_customers) as bought_share,
        custseg.stable_mean(share, 0, 1) as mean_where_bought,
        custseg.stable_stddev(share, 0, 1) as spread_where_bought,
        bought_share * mean_where_bought as mean,
        sqrt(greatest(
            bought_share * (pow(spread_where_bought, 2) + pow(mean_where_bought, 2))
            - pow(mean, 2),
            0
        )) as spread,
    from (
        select
            unnest(map_keys(department_share)) as department,
            unnest(map_values(department_share)) as share,
            custseg_n_customers,
        from feature_rows
        cross join (select count(*) as custseg_n_customers from feature_rows)
        where
            (include is null or 'department_share' in include)
            and (exclude is null or 'department_share' not in exclude)
    )
    group by department
    having mean >= 0.01 and spread > 1e-9
),
transforms as (
    select
        (1, position, 0, '') as place,
        {
            'name': names[position], 'department': null, 'transform': transform,
            'fill': median, 'unit': coalesce(unit, 1), 'center': mean,
            'scale': case when spread > 0 then spread else 1 end,
            'weight': coalesce(weight_of[names[position]], 1)
        } as step,
    from value_moments
    cross join columns_chosen
    where
        -- constant columns only where there are no others
        (spread > 0 or not exists (from value_moments where spread > 0))
        -- of the default two, the count of orders only where there is no rate
        and not (
            include is null
            and names[position] = 'frequency'
            and list_position(names, 'orders_per_30d') in (
                select position from value_moments where spread > 0
            )
        )
    union all
    select
        (2, 0, -mean, department),
        {
            'name': 'department_share', 'department': department,
            'transform': 'identity', 'fill': 0, 'unit': 1, 'center': mean,
            'scale': spread,
            'weight': sqrt(2.0::double / count(*) over ())
                * coalesce(weight_of['department_share'], 1)
        },
    from share_moments
    cross join columns_chosen
)
select list(step order by place asc) as transform
from transforms
having custseg.require(count(*) > 0,
    'features must have a column with values, got {} of them [no-rows]', 0);
