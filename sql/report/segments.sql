-- The segments of a run, with the names that people have given them and, the most
--      telling first, up to n things that set each apart.
with labels as (
    select segment, min(label) as label
    from custseg.segment_labels
    where run_name = $run_name
    group by segment
),
telling_features as (
    select
        segment,
        {
            'words': coalesce(
                'share of ' || department, in_words, replace(feature, '_', ' ')
            ),
            'value': custseg.readable(value, feature),
            'population': custseg.readable(population_mean, feature),
            'z_score': z_score,
        } as trait,
        row_number() over (
            partition by segment
            order by abs(z_score) desc, feature asc, department asc nulls first
        ) as place,
    from custseg.centroids
    left join custseg.feature_words() as known_words using (feature)
    where run_name = $run_name and abs(z_score) >= 0.3
),
traits_of_segments as (
    select segment, list(trait order by place asc) as traits
    from telling_features
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
    coalesce(traits, []) as traits,
from custseg.segment_summary
left join labels using (segment)
left join traits_of_segments using (segment)
where run_name = $run_name
order by segment asc;
