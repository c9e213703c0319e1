-- The segments' shares of the customers add up to one.
select sum(customer_share) as total
from {{ ref('segment_summary') }}
having abs(total - 1) > 1e-9
