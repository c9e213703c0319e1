-- The centre of each segment, feature by feature.
select * from custseg.centroids('{{ ref("model") }}')
