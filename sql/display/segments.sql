-- The segments to show of a run, each with what sets it apart the most.
with traits_by_place as (
    select
        segment,
        if(z_score > 0, '+ ', '- ')
        || coalesce('share of ' || department, in_words, replace(feature, '_', ' '))
        || ' ' || custseg.readable(value, feature)
        || ' (' || custseg.readable(population_mean, feature) || ')' as trait,
        row_number() over (
            partition by segment
            order by abs(z_score) desc, feature asc, department asc
        ) as place,
    from custseg.centroids
    left join custseg.feature_words() as known_words using (feature)
    where run_name = $run_name and abs(z_score) >= 0.3
),
traits_of_segments as (
    select segment, list(trait order by place asc) as traits
    from traits_by_place
    where place <= $n
    group by segment
)
select
    segment,
    label,
    n_customers,
    customer_share,
    revenue,
    revenue_share,
    n_orders,
    order_share,
    traits,
from custseg.segment_summary
left join custseg.segment_labels using (run_name, segment)
left join traits_of_segments using (segment)
where run_name = $run_name
order by segment asc;
