-- A segment with more than 90% of the customers means that a few outliers have one of their own.
select segment, customer_share
from {{ ref('segment_summary') }}
where customer_share > 0.9
