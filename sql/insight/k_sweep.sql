-- k_sweep(vectors, ks, algorithms, covariance_types, seed, n_bootstraps): how many
--      segments there are: every candidate fitted and judged, the best one marked.
-- in:  vectors(customer_id, features DOUBLE[]; optionally transform), as
--      feature_vectors gives them; ks (numbers of segments); algorithms ('kmeans',
--      'gmm'); covariance_types (of mixtures); seed; n_bootstraps
-- out: algorithm, covariance_type, k, then of all customers inertia, silhouette
--      (simplified), davies_bouldin, calinski_harabasz, bic, aic (mixtures),
--      smallest_share; of a sample stability (mean adjusted Rand index of bootstrap
--      fits, -1 to 1), prediction_strength (K-Means: of its weakest segment, the share
--      of pairs that other customers' segments keep together, 0 to 1), noise_silhouette
--      (of data like these without segments), silhouette_gap (silhouette -
--      noise_silhouette), seconds; is_recommended, reason, model. Fits use the 20,000
--      customers with the smallest hash of their features. Eligible is k >= 2 with
--      stability >= 0.7, no segment below 3% of the customers, and of K-Means a gap
--      >= 0.03, of mixtures a bic below that of k = 1. Recommended is of K-Means the
--      largest k with prediction_strength >= 0.9, else the k with the largest gap; of
--      mixtures that with the smallest bic
-- source: Hennig (2007) for stability; Tibshirani & Walther (2005) for prediction
--      strength; Tibshirani, Walther & Hastie (2001) for the gap
create or replace macro custseg.k_sweep(
    vectors, ks := [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], algorithms := ['kmeans'],
    covariance_types := ['full'], seed := 0, n_bootstraps := 10
) as table
with custseg_vectors as materialized (
    select customer_id, features, transform
    from (
        select null as transform where false
        union all by name
        from query_table(vectors)
    )
    where features is not null
),
sampled_vectors as (
    select features, transform
    from custseg_vectors
    order by hash(features) asc, features asc
    limit 20000
),
candidates as materialized (
    select unnest(system.main.custseg_k_sweep(
        list(features), ks::bigint[], algorithms::varchar[],
        covariance_types::varchar[], seed::bigint, n_bootstraps::bigint,
        any_value(transform)
    ), recursive := false) as candidate
    from sampled_vectors
),
custseg_models as materialized (
    select
        candidate.* exclude (model),
        candidate.algorithm || coalesce(' ' || candidate.covariance_type, '')
            || ' ' || candidate.k as name,
        candidate.model as model,
    from candidates
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
