-- Size, revenue and a suggested name of each segment.
select summary.*, labels.label
from custseg.segment_summary('{{ ref("features") }}', '{{ ref("segments") }}') as summary
inner join custseg.suggested_labels('{{ ref("centroids") }}') as labels using (segment)
