-- What the places of a run's vectors are, in their order.
with steps as (
    select
        generate_subscripts(model.features, 1) as place,
        unnest(model.features) as step,
    from custseg.models
    where
        name = $run_name
        and version = (
            select arg_max(model_version, run_id)
            from custseg.runs
            where run_name = $run_name
        )
)
select
    coalesce(
        'share of ' || step.department, in_words, replace(step.name, '_', ' ')
    ) as words,
from steps
left join custseg.feature_words() as known_words
    on steps.step.name = known_words.feature
order by place asc;
