-- One row per customer: recency, frequency, spend, diversity, departments, timing.
select * from custseg.customer_features('{{ ref("order_lines") }}')
