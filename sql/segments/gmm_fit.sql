-- gmm_fit(features, k, covariance_type, seed, transform): an aggregate: a Gaussian
--      mixture of all rows, or one per group under GROUP BY.
-- in:  features DOUBLE[] (equal lengths, finite; of a standard deviation of at least
--      0.01, or constant); k (1 to the number of distinct rows); covariance_type
--      'full', 'tied', 'diag' or 'spherical'; seed; transform (the column of
--      feature_vectors; NULL: the vectors are clustered as they are)
-- out: the model STRUCT (see custseg.models) with log_likelihood, bic and aic (lower is
--      better). Needs the UDFs of custseg_duck.load
-- source: Dempster, Laird & Rubin (1977); AIC, Akaike (1974); BIC, Schwarz (1978)
create or replace macro custseg.gmm_fit(
    features, k := 8, covariance_type := 'full', seed := 0, transform := null
) as
system.main.custseg_gmm_fit(
    list(features), k::bigint, covariance_type::varchar, seed::bigint,
    any_value(transform)
);
