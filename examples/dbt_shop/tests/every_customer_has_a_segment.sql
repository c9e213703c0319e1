-- Customers without a segment: there must be none.
select features.customer_id
from {{ ref('features') }} as features
left join {{ ref('segments') }} as segments using (customer_id)
where segments.segment is null
