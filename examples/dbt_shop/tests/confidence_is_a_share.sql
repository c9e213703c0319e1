-- Rules whose confidence is no share, or below that of their interval.
select rule_id, confidence
from {{ ref('rules') }}
where confidence not between 0 and 1 or confidence < confidence_low
