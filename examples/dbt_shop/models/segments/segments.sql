-- The segment of each customer.
select customer_id, segment
from custseg.score('{{ ref("features") }}', 'shop', models := '{{ ref("model") }}')
