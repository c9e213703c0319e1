-- How raw features become vectors.
create temp table custseg_run_transform as
from custseg.feature_transform(
    'temp.main.custseg_run_customer_features', include := $include, exclude := $exclude,
    weights := $weights, transforms := $transforms
);
