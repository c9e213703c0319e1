-- judged_candidates(vectors, candidates): k_sweep, of candidates fitted before.
-- in:  vectors: see k_sweep; candidates(candidate STRUCT) as the fits of k_sweep give
--      them
-- out: see k_sweep
create or replace macro custseg.judged_candidates(vectors, candidates) as table
with custseg_vectors as materialized (
    select customer_id, features
    from query_table(vectors)
    where features is not null
),
custseg_models as materialized (
    select
        candidate.* exclude (model),
        candidate.algorithm || coalesce(' ' || candidate.covariance_type, '')
            || ' ' || candidate.k as name,
        candidate.model as model,
    from query_table(candidates)
),
judged as (
    select
        candidates_read.*,
        metrics.inertia,
        metrics.silhouette,
        metrics.davies_bouldin,
        metrics.calinski_harabasz,
        metrics.bic,
        metrics.aic,
        case when n_segments < candidates_read.k then 0 else smallest_share end
            as smallest_share,
        metrics.silhouette - candidates_read.noise_silhouette as silhouette_gap,
    from custseg_models as candidates_read
    inner join (
        select
            *,
            min(customer_share) filter (segment is not null) over (partition by name)
                as smallest_share,
            count(segment) over (partition by name) as n_segments,
        from custseg.model_metrics('custseg_vectors', 'custseg_models')
    ) as metrics
        on candidates_read.name = metrics.name and metrics.segment is null
),
possible as (
    select
        *,
        case
            when k = 1 then 'one segment, to compare with'
            when smallest_share < 0.03
                then 'a segment holds less than 3% of the customers'
            when stability < 0.7 then 'not stable: other samples give other segments'
            when algorithm = 'kmeans' and not coalesce(silhouette_gap >= 0.03, false)
                then 'no better than on noise'
            when algorithm = 'gmm' and bic >= coalesce(min(bic) filter (k = 1) over (
                partition by algorithm, covariance_type
            ), 'infinity'::double)
                then 'no better than one segment'
        end as flaw,
    from judged
),
ranked as (
    select
        *,
        row_number() over (
            partition by algorithm
            order by
                flaw is not null asc,
                prediction_strength >= 0.9 desc nulls last,
                case
                    when algorithm = 'gmm' then bic
                    when prediction_strength >= 0.9 then -k
                    else -silhouette_gap
                end asc,
                k asc,
                covariance_type asc
        ) as preference,
    from possible
)
select
    algorithm,
    covariance_type,
    k,
    inertia,
    silhouette,
    davies_bouldin,
    calinski_harabasz,
    bic,
    aic,
    smallest_share,
    stability,
    prediction_strength,
    noise_silhouette,
    silhouette_gap,
    seconds,
    flaw is null and preference = 1 as is_recommended,
    case
        when flaw is not null then flaw
        when preference > 1 then 'good, but another one is better'
        when algorithm = 'gmm' then 'smallest bic of the stable ones'
        when prediction_strength >= 0.9
            then 'the most segments that other customers confirm'
        else 'largest silhouette beyond that of noise, of the stable ones'
    end as reason,
    model,
from ranked
order by algorithm desc, covariance_type asc nulls first, k asc;
