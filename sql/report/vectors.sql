-- The vectors of a sample of a run's customers, those with the smallest md5 of their
--      ids, and their segments.
with custseg_sample as materialized (
    select * exclude (run_name)
    from custseg.customer_features
    where run_name = $run_name
    order by md5(customer_id::varchar) asc, customer_id::varchar asc
    limit $n
)
select
    vectors.customer_id::varchar as customer_id,
    segments.segment,
    vectors.features,
from custseg.apply_transform(
    'custseg_sample',
    (
        select models.model.features
        from custseg.models
        where
            models.name = $run_name
            and models.version = (
                select arg_max(runs.model_version, runs.run_id)
                from custseg.runs
                where runs.run_name = $run_name
            )
    )
) as vectors
inner join custseg.segments
    on vectors.customer_id = segments.customer_id
        and segments.run_name = $run_name
order by md5(vectors.customer_id::varchar) asc, vectors.customer_id::varchar asc;
