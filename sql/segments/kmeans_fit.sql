-- kmeans_fit(features, k, seed, transform): an aggregate: K-Means on all rows, or one
--      model per group under GROUP BY.
-- in:  features DOUBLE[] (equal lengths, finite); k (1 to the number of distinct rows);
--      seed; transform (the column of feature_vectors; NULL: the vectors are clustered
--      as they are)
-- out: the model STRUCT (see custseg.models). Needs the UDFs of custseg_duck.load
-- source: Lloyd (1982); seeds by k-means++, Arthur & Vassilvitskii (2007)
create or replace macro custseg.kmeans_fit(
    features, k := 8, seed := 0, transform := null
) as
system.main.custseg_kmeans_fit(
    list(features), k::bigint, seed::bigint, any_value(transform)
);
