-- Whether the model of a run gives its customers the segments that they have.
with scored as (
    select customer_id, segment
    from custseg.score(
        'temp.main.custseg_check_features',
        model_name := $run_name, model_version := $model_version
    )
),
kept as (
    select customer_id, segment from custseg.segments where run_name = $run_name
)
select
    count(*) as n_checked,
    count(*) filter (scored.segment is distinct from kept.segment) as n_wrong,
from scored
full join kept using (customer_id);
