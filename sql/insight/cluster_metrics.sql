-- cluster_metrics(vectors, segments): how compact and how far apart segments are: one
--      row for all customers (segment NULL), then one per segment.
-- in:  vectors(customer_id, features), segments(customer_id, segment): see
--      segment_members
-- out: segment, n_customers, customer_share (0 to 1), inertia (sum of squared distances
--      to the own segment's mean), silhouette (mean of silhouettes; NULL for one
--      segment), davies_bouldin (>= 0, low is good: for a segment the largest, over the
--      others, of the two mean distances' sum / the means' distance; overall their
--      mean; NULL where two means coincide), calinski_harabasz (>= 0, high is good;
--      NULL per segment, for one segment and for inertia 0), mean_distance,
--      max_distance (to the own segment's mean). No rows without customers
-- source: Davies & Bouldin (1979), Calinski & Harabasz (1974)
create or replace macro custseg.cluster_metrics(vectors, segments) as table
with custseg_members as materialized (
    select null::varchar as name, customer_id, segment, features
    from custseg.segment_members(vectors, segments)
)
select * exclude (name)
from custseg.metrics_of_members('custseg_members');
