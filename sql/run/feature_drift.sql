-- What has drifted since the customers that the model before was fitted on, feature by
--      feature, the largest first. Its columns are those of drift_of_histograms.
create temp table custseg_run_feature_drift as
with custseg_histograms as (
    select unnest(histograms, max_depth := 2)
    from custseg.models
    where name = $run_name and version = $previous_version
)
select $run_name as run_name, $previous_version::integer as model_version, *
from custseg.drift_of_histograms(
    'custseg_histograms', 'temp.main.custseg_run_drifting_features'
);
