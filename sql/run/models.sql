-- The fitted model, as the next version of the run's name: how it was made, of what,
--      and how good it is.
create temp table custseg_run_models as
select
    $run_name as name,
    $model_version::integer as version,
    $run_id::bigint as run_id,
    $created_at::timestamp as created_at,
    model.n_rows as n_customers,
    (select fingerprint from custseg_run_fingerprint) as fingerprint,
    $options::map(varchar, varchar) as parameters,
    $versions::map(varchar, varchar) as versions,
    (
        select {
            'inertia': inertia,
            'silhouette': silhouette,
            'davies_bouldin': davies_bouldin,
            'calinski_harabasz': calinski_harabasz
        }
        from custseg_run_model_metrics
    ) as metrics,
    (
        select list(histograms order by feature asc, department asc)
        from custseg_run_feature_histograms as histograms
    ) as histograms,
    custseg.model_checksum(model) as checksum,
    model,
from custseg_run_model;
