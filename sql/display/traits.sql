-- What sets each segment apart the most: a list of lines to print per segment.
select
    segment,
    list(
        if(z_score > 0, '+ ', '- ')
        || coalesce('share of ' || department, in_words, replace(feature, '_', ' '))
        || ' ' || custseg.readable(value, feature)
        || ' (' || custseg.readable(population_mean, feature) || ')'
        order by place asc
    ) as lines,
from (
    select
        *,
        row_number() over (
            partition by segment
            order by abs(z_score) desc, feature asc, department asc
        ) as place,
    from custseg.centroids
    left join custseg.feature_words() as known_words using (feature)
    where run_name = $run_name and abs(z_score) >= 0.3
)
where place <= $n
group by segment;
