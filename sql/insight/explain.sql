-- explain(which, of_run, model_version, features, labels, models): why a customer is in
--      a segment, feature by feature, and what would move it to another.
-- in:  which: a customer_id; of_run: a run's name; model_version (default: the latest);
--      features like custseg.customer_features, labels like custseg.segment_labels,
--      models like custseg.models
-- out: rank (1 counts most), reason and change VARCHAR (in words), then feature,
--      department, value, segment_value (of the segment's centre), average_value (of
--      all customers, on the model's scale), z_score (how far from it), segment and
--      label, second_segment (the next best), contribution (how much nearer to segment
--      than to second_segment than if this value were the average; on the scale of
--      squared distances, or of log densities), moves_at (the nearest value that would
--      put the customer into another segment, all others as they are; NULL if no
--      customer has such a value) and moves_to. No row for one who is not there
create or replace macro custseg.explain(
    which, of_run := 'default', model_version := null,
    features := 'custseg.customer_features', labels := 'custseg.segment_labels',
    models := 'custseg.models'
) as table
with custseg_customers as not materialized (
    select * exclude (run_name)
    from query_table(features)
    where run_name = of_run
),
custseg_model as materialized (
    select model
    from custseg.stored_model(of_run, model_version := model_version, models := models)
),
custseg_vectors as not materialized (
    from custseg.apply_transform(
        'custseg_customers', (select model.features from custseg_model)
    )
),
custseg_names as (
    select segment, label from query_table(labels) where run_name = of_run
),
the_customer as materialized (
    select
        custseg_vectors.features as x,
        model.components as components,
        model.features as steps,
        custseg.assign(model, custseg_vectors.features) as own,
    from custseg_vectors
    cross join custseg_model
    where customer_id = which
),
-- each segment's score of the customer, and how it changes along each feature: it is
-- score + slope * step + bend * step^2
along_features as materialized (
    select
        segment,
        own,
        score,
        unnest(range(1, len(x) + 1)) as place,
        unnest(x) as coordinate,
        unnest(component.center) as center,
        unnest(case when component.precision_rows is null
            then list_transform(
                list_zip(x, component.center),
                lambda custseg_pair: -2 * (custseg_pair[1] - custseg_pair[2])
            )
            else list_transform(
                columns_of_precision,
                lambda custseg_column: -list_dot_product(custseg_column, residual)
            )
        end) as slope,
        unnest(case when component.precision_rows is null
            then list_transform(x, lambda custseg_coordinate: -1.0::double)
            else list_transform(
                columns_of_precision,
                lambda custseg_column:
                    -0.5 * list_dot_product(custseg_column, custseg_column)
            )
        end) as bend,
    from (
        select
            *,
            list_transform(
                list_zip(
                    list_transform(
                        component.precision_rows,
                        lambda custseg_row: list_dot_product(custseg_row, x)
                    ),
                    component.shift
                ),
                lambda custseg_pair: custseg_pair[1] - custseg_pair[2]
            ) as residual,
            list_transform(
                range(1, len(x) + 1),
                lambda custseg_place: list_transform(
                    component.precision_rows,
                    lambda custseg_row: custseg_row[custseg_place]
                )
            ) as columns_of_precision,
            case when component.precision_rows is null
                then -pow(list_distance(component.center, x), 2)
                else component.log_offset
                    - 0.5 * list_dot_product(residual, residual)
            end as score,
        from (
            select
                x,
                own,
                (generate_subscripts(components, 1) - 1)::integer as segment,
                unnest(components) as component,
            from the_customer
        )
    )
),
against_others as materialized (
    select
        *,
        slope * slope - 4 * bend * lead as discriminant,
        case
            when bend = 0 then [-lead / nullif(slope, 0)]
            when discriminant >= 0 then [
                (-slope - sqrt(discriminant)) / (2 * bend),
                (-slope + sqrt(discriminant)) / (2 * bend)
            ]
            else []
        end as steps_to_the_border,
        row_number() over (
            partition by place order by lead asc, other_segment asc
        ) as nearness,
    from (
        select
            own.place,
            own.coordinate,
            other.segment as other_segment,
            own.score - other.score as lead,
            own.slope - other.slope as slope,
            own.bend - other.bend as bend,
        from along_features as own
        inner join along_features as other using (place)
        where own.segment = own.own and other.segment <> own.own
    )
),
reachable as (
    select place, min(coordinate) as lowest, max(coordinate) as highest
    from (
        select
            unnest(custseg_vectors.features) as coordinate,
            generate_subscripts(custseg_vectors.features, 1) as place,
        from custseg_vectors
    )
    group by place
),
borders as (
    select place, other_segment, border - coordinate as step, border
    from (
        select
            place,
            coordinate,
            other_segment,
            coordinate + unnest(steps_to_the_border) as border,
        from against_others
    )
    inner join reachable using (place)
    where border between lowest and highest
    qualify row_number() over (
        partition by place order by abs(step) asc, other_segment asc
    ) = 1
),
described as (
    select
        along_features.place,
        steps[along_features.place] as step,
        coordinate,
        center,
        own as segment,
        second.other_segment as second_segment,
        second.slope * coordinate - second.bend * coordinate * coordinate
            as contribution,
        border,
        borders.other_segment as moves_to,
        borders.step > 0 as moves_up,
    from along_features
    cross join (select steps from the_customer)
    left join (
        select place, other_segment, slope, bend from against_others where nearness = 1
    ) as second using (place)
    left join borders using (place)
    where along_features.segment = own
),
in_own_units as (
    select
        *,
        step.name as feature,
        step.department as department,
        list_transform(
            [coordinate, center, 0, border],
            lambda custseg_coordinate: custseg.restored(
                step.center
                    + step.scale * custseg_coordinate / coalesce(step.weight, 1),
                step.transform,
                step.unit
            )
        ) as raw,
        row_number() over (
            order by abs(contribution) desc nulls last, abs(coordinate) desc, place asc
        ) as rank,
    from described
)
select
    rank,
    coalesce('share of ' || department, in_words, replace(feature, '_', ' '))
        || ' ' || custseg.readable(raw[1], feature)
        || case
            when coordinate > 0 then ', above the average of '
            when coordinate < 0 then ', below the average of '
            else ', the average of '
        end
        || custseg.readable(raw[3], feature)
        || case
            when contribution > 0
                then ': speaks for this segment (' || custseg.readable(raw[2], feature)
                    || ')'
            when contribution < 0
                then ': speaks for segment ' || second_segment
            else ''
        end as reason,
    case when moves_up then 'above ' else 'below ' end
        || custseg.readable(raw[4], feature)
        || ' it would be in segment ' || moves_to
        || coalesce(' (' || other_names.label || ')', '') as change,
    feature,
    department,
    raw[1] as value,
    raw[2] as segment_value,
    raw[3] as average_value,
    coordinate / coalesce(step.weight, 1) as z_score,
    in_own_units.segment,
    own_names.label as label,
    second_segment,
    contribution,
    raw[4] as moves_at,
    moves_to,
from in_own_units
left join custseg.feature_words() as known_words using (feature)
left join custseg_names as own_names
    on in_own_units.segment = own_names.segment
left join custseg_names as other_names
    on moves_to = other_names.segment
order by rank asc;
