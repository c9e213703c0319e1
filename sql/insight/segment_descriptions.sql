-- segment_descriptions(summary, centroids, n): each segment in a sentence, with the
--      numbers that set it apart.
-- in:  summary and centroids as segment_summary and centroids give them, of one run; n:
--      the most features to name
-- out: segment, description VARCHAR
create or replace macro custseg.segment_descriptions(
    summary, centroids, n := 4
) as table
with custseg_sizes as (
    select
        segment,
        n_customers::bigint as n_customers,
        customer_share::double as customer_share,
        revenue_share::double as revenue_share,
    from query_table(summary)
),
custseg_centers as (
    select
        segment,
        coalesce(
            'share of ' || department::varchar, in_words, replace(feature, '_', ' ')
        )
            || ' ' || custseg.readable(value, feature)
            || ' (average ' || custseg.readable(population_mean, feature) || ')'
            as trait,
        row_number() over (
            partition by segment
            order by abs(z_score) desc, feature asc, department asc nulls first
        ) as place,
    from query_table(centroids)
    left join custseg.feature_words() as known_words using (feature)
    where abs(z_score) >= 0.3
)
select
    segment,
    format('{:,} customers ({:.1f}%', n_customers, 100 * customer_share)
        || coalesce(
            ', ' || format('{:.1f}% of revenue', 100 * revenue_share), ''
        ) || ')'
        || coalesce(
            ': ' || string_agg(trait, ', ' order by place asc) filter (place <= n), ''
        ) as description,
from custseg_sizes
left join custseg_centers using (segment)
group by segment, n_customers, customer_share, revenue_share
order by segment asc;
