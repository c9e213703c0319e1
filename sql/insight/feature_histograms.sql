-- feature_histograms(features, n_bins): how each feature is distributed, to be kept and
--      compared with later.
-- in:  features: any relation with customer_id; n_bins 2 to 100
-- out: feature, department, kind, edges, categories, counts, n_values, n_nulls: see
--      counted_features; without texts of more than 50 values and columns without any
create or replace macro custseg.feature_histograms(features, n_bins := 10) as table
with custseg_edges as materialized (
    from custseg.feature_edges(features, n_bins := n_bins)
)
select * exclude (n_customers)
from custseg.counted_features(features, 'custseg_edges')
where counts is not null and n_values > 0
order by feature asc, department asc nulls first;
