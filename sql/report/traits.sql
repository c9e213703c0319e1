-- What sets each segment of a run apart, the most telling first.
select
    segment,
    coalesce('share of ' || department, in_words, replace(feature, '_', ' ')) as words,
    custseg.readable(value, feature) as value,
    custseg.readable(population_mean, feature) as population,
    z_score,
from custseg.centroids
left join custseg.feature_words() as known_words using (feature)
where run_name = $run_name and abs(z_score) >= 0.3
qualify row_number() over (
    partition by segment
    order by abs(z_score) desc, feature asc, department asc nulls first
) <= $n
order by segment asc, abs(z_score) desc, feature asc, department asc nulls first;
