-- feature_vectors(features, include, exclude, weights, transforms): one vector per
--      customer, ready to be clustered.
-- in:  features and the options of feature_transform
-- out: customer_id, features DOUBLE[], transform (the same on every row: how to get
--      there from raw values)
create or replace macro custseg.feature_vectors(
    features, include := null, exclude := null, weights := null, transforms := null
) as table
from custseg.apply_transform(
    features,
    (
        select transform
        from custseg.feature_transform(
            features, include := include, exclude := exclude,
            weights := weights, transforms := transforms
        )
    )
);
