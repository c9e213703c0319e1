-- feature_drift(features_before, features_after, n_bins): how far features have moved
--      from one relation to the other.
-- in:  features_before, features_after: any relations with customer_id; n_bins 2 to 100
-- out: see drift_of_histograms
create or replace macro custseg.feature_drift(
    features_before, features_after, n_bins := 10
) as table
with custseg_histograms as materialized (
    from custseg.feature_histograms(features_before, n_bins := n_bins)
)
from custseg.drift_of_histograms('custseg_histograms', features_after);
