-- silhouettes(vectors, segments): how well each customer fits the own segment, in
--      linear time.
-- in:  vectors(customer_id, features), segments(customer_id, segment): see
--      segment_members
-- out: customer_id, segment, silhouette (-1 to 1; 0 in a segment of one; NULL if there
--      is no other segment), second_segment (the nearest other one; the lower of two),
--      distance (Euclidean, to the mean of the own segment), second_distance (to that
--      of second_segment)
-- source: Hruschka, de Castro & Campello (2004), the simplified silhouette:
--      (second_distance - distance) / the larger of the two
create or replace macro custseg.silhouettes(vectors, segments) as table
with custseg_members as materialized (
    select null::varchar as name, customer_id, segment, features
    from custseg.segment_members(vectors, segments)
),
custseg_means as materialized (
    from custseg.segment_means('custseg_members')
)
select * exclude (name)
from custseg.silhouettes_of_means('custseg_members', 'custseg_means');
