-- apply_transform(features, transform): raw features as vectors, by a transform learnt
--      earlier (a model keeps its own).
-- in:  features: a relation with customer_id and the transform's columns in any order,
--      NULL where unknown; transform as feature_transform gives it (columns first, then
--      departments)
-- out: customer_id, features DOUBLE[] in the transform's order, transform
create or replace macro custseg.apply_transform(features, transform) as table
with feature_rows as not materialized (
    from (
        select null::map(varchar, double) as department_share where false
        union all by name
        from query_table(features)
    )
),
steps as (
    select
        transform as all_steps,
        list_filter(transform, lambda step: step.department is null) as column_steps,
        list_filter(transform, lambda step: step.department is not null)
            as department_steps,
),
column_types as (
    select map(
        list_transform(map_keys(types), lambda name: custseg.folded(name)),
        map_values(types)
    ) as types
    from (
        select try_cast(custseg_types as map(varchar, varchar)) as types
        from (
            select typeof(columns(* exclude (customer_id, department_share)))
            from feature_rows
            limit 1
        ) as custseg_types
    )
),
recipe as materialized (
    select
        all_steps,
        list_transform(
            column_steps, lambda step: list_position(
                map_keys(types), custseg.folded(step.name)
            )
        ) as positions,
        list_transform(department_steps, lambda step: step.department) as departments,
        list_transform(all_steps, lambda step: {
            'fill': step.fill,
            'unit': case when step.transform = 'log' then step.unit end,
            'center': step.center,
            'scale': step.scale / coalesce(step.weight, 1)
        }) as scalings,
    from steps
    cross join column_types
    where
        custseg.require(all_steps = list_concat(column_steps, department_steps),
            'transform must be a list with columns first, then departments, got {} '
            || '[transform]',
            all_steps)
        and custseg.require(
            len(list_filter(column_steps, lambda step:
                not custseg.is_numeric(
                    map_extract_value(types, custseg.folded(step.name))
                )
            )) = 0,
            'features must have all columns of the transform, as numbers; got {} '
            || '[missing-column]',
            types)
),
raw_values as not materialized (
    select
        feature_rows.customer_id,
        list_concat(
            list_select(numbers, positions),
            list_transform(
                departments, lambda name: map_extract_value(department_share, name)
            )
        ) as raw,
        scalings,
        all_steps,
    from (
        select
            customer_id,
            department_share,
            list_value(*columns(* exclude (customer_id, department_share))) as numbers,
        from (
            select
                customer_id,
                department_share,
                custseg.to_number(columns(* exclude (customer_id, department_share))),
            from feature_rows
        )
    ) as feature_rows
    cross join recipe
)
select
    customer_id,
    list_transform(
        list_zip(raw, scalings),
        -- a unit of NULL leaves values as they are
        lambda pair: case
            when abs(pair[1]) > 1e100 or isnan(pair[1]) then error(
                'features must be finite and within 1e100, got ' || pair[1]
                || ' [not-finite]'
            )
            else (
                coalesce(
                    custseg.transformed(
                        coalesce(pair[1], pair[2].fill), 'log', pair[2].unit
                    ),
                    pair[1],
                    pair[2].fill
                ) - pair[2].center
            ) / pair[2].scale
        end
    ) as features,
    all_steps as transform,
from raw_values;
