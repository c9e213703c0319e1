-- The stored models to show.
select
    name,
    version,
    model.algorithm as algorithm,
    len(model.components) as k,
    n_customers,
    metrics.silhouette as silhouette,
    created_at,
from custseg.models
order by name asc, version asc;
