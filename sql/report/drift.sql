-- How far a run's features have drifted since the model before was fitted, the most
--      first.
select
    coalesce('share of ' || department, in_words, replace(feature, '_', ' ')) as words,
    psi,
    level,
from custseg.feature_drift
left join custseg.feature_words() as known_words using (feature)
where run_name = $run_name
order by psi desc nulls last, feature asc, department asc nulls first;
