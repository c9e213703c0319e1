-- check_model(model): whether a model can be trusted to assign: version, lengths,
--      finite numbers.
-- in:  model STRUCT
-- out: 'ok', or what is wrong with it
create or replace macro custseg.check_model(model) as
case
    when model is null then 'model is NULL'
    when model.version is distinct from 1
        then 'version must be 1, got ' || coalesce(model.version::varchar, 'NULL')
    when coalesce(model.algorithm, '') not in ('kmeans', 'gmm')
        then 'algorithm must be kmeans or gmm, got '
            || coalesce(model.algorithm, 'NULL')
    when coalesce(len(model.features), 0) = 0
        then 'features must name at least one feature'
    when coalesce(len(model.components), 0) = 0
        then 'components must hold at least one segment'
    when not list_bool_and(list_transform(model.features, lambda feature: coalesce(
        feature.name <> ''
        and feature.transform in ('identity', 'log')
        and isfinite(feature.fill)
        and isfinite(feature.center)
        and isfinite(feature.scale) and feature.scale > 0
        and isfinite(feature.unit) and feature.unit > 0
        and isfinite(feature.weight) and feature.weight > 0,
        false
    )))
        then 'every feature must have a name, a known transform and finite numbers'
    when not list_bool_and(list_transform(model.components, lambda component: coalesce(
        list_bool_and(list_transform(
            component.center, lambda place: coalesce(isfinite(place), false)
        )),
        false
    )))
        then 'every centre must be finite'
    when list_unique(list_append(
        list_transform(model.components, lambda component: len(component.center)),
        len(model.features)
    )) <> 1
        then 'every centre must be as long as features'
    when len(list_distinct(list_transform(
        model.features, lambda feature: [feature.name, feature.department]
    ))) <> len(model.features)
        then 'every feature must be there once'
    when list_bool_or(list_transform(model.components, lambda component:
        (component.precision_rows is null) = (model.algorithm = 'gmm')
    ))
        then 'a mixture must have precisions, K-Means must not'
    when model.algorithm = 'gmm' and not list_bool_and(list_transform(
        model.components, lambda component: coalesce(
            isfinite(component.log_offset)
            and len(component.shift) = len(component.center)
            and len(component.precision_rows) = len(component.center)
            and list_bool_and(list_transform(
                list_append(component.precision_rows, component.shift),
                lambda axis: coalesce(
                    len(axis) = len(component.center)
                    and list_bool_and(list_transform(
                        axis, lambda place: coalesce(isfinite(place), false)
                    )),
                    false
                )
            )),
            false
        )
    ))
        then 'every component of a mixture must have finite precisions'
    else 'ok'
end;
