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
    from query_table(vectors)
),
custseg_candidates as materialized (
    select unnest(
        system.main.custseg_k_sweep(
            features, ks, algorithms, covariance_types, seed, n_bootstraps, transform
        ),
        recursive := false
    ) as candidate
    from custseg.sweep_inputs(
        'custseg_vectors', ks, algorithms, covariance_types, seed, n_bootstraps
    )
)
from custseg.judged_candidates('custseg_vectors', 'custseg_candidates');
