-- How far a run's features have drifted since the model before was fitted, the most
--      first; once where several features are called the same.
with named_features as (
    select
        coalesce(
            'share of ' || department, in_words, replace(feature, '_', ' ')
        ) as words,
        psi,
        level,
    from custseg.feature_drift
    left join custseg.feature_words() as known_words using (feature)
    where run_name = $run_name
)
select words, psi, level
from named_features
qualify row_number() over (
    partition by words order by psi desc nulls last, level asc
) = 1
order by psi desc nulls last, words asc;
