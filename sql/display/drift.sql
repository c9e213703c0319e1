-- The features to show that have drifted since the model before a run's was fitted.
select coalesce(department, feature) as feature, psi, level
from custseg.feature_drift
where run_name = $run_name and level in ('moderate', 'large', 'missing')
order by psi desc nulls last, feature asc
limit $n;
