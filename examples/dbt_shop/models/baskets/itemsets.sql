-- What is bought together.
select *
from custseg.frequent_itemsets('{{ ref("order_lines") }}', min_support := {{ var('min_support') }})
