-- The fitted clusters, as one value.
select
    'shop' as name,
    1 as version,
    custseg.kmeans_fit(features, k := {{ var('k') }}, transform := transform) as model
from custseg.feature_vectors('{{ ref("features") }}')
