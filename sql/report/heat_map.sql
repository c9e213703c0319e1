-- The centres of a run's segments, feature by feature, features that say much the same
--      side by side.
select
    segment,
    feature,
    department,
    coalesce('share of ' || department, in_words, replace(feature, '_', ' ')) as words,
    value,
    population_mean,
    custseg.readable(value, feature) as readable_value,
    custseg.readable(population_mean, feature) as readable_population,
    z_score,
from custseg.centroids
left join custseg.feature_words() as known_words using (feature)
where run_name = $run_name
order by
    concept_rank asc nulls last,
    feature asc,
    department asc nulls first,
    segment asc;
