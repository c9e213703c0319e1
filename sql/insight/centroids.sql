-- centroids(models): the centre of each segment of stored models, feature by feature,
--      in the features' own units.
-- in:  models(name, model), like custseg.models
-- out: run_name, segment, feature, department (NULL but for department_share), value
--      (the centre, transformed back), population_mean (the mean of all customers on
--      the transformed scale, transformed back), z_score (population standard
--      deviations between the two, on the transformed scale)
create or replace macro custseg.centroids(models) as table
with centers as (
    select
        name as run_name,
        (generate_subscripts(model.components, 1) - 1)::integer as segment,
        unnest(list_transform(
            model.components, lambda component: component.center
        )) as center,
        model.features as steps,
    from query_table(models)
),
coordinates as (
    select
        run_name,
        segment,
        generate_subscripts(steps, 1) as place,
        unnest(steps) as step,
        unnest(center) as coordinate,
    from centers
)
select
    run_name,
    segment,
    step.name as feature,
    step.department,
    custseg.restored(
        step.center + step.scale * coordinate / coalesce(step.weight, 1),
        step.transform,
        step.unit
    ) as value,
    custseg.restored(step.center, step.transform, step.unit) as population_mean,
    coordinate / coalesce(step.weight, 1) as z_score,
from coordinates
order by run_name asc, segment asc, place asc;
