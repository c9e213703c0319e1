MODEL (
    name reports.spring_features,
    kind FULL,
    grain customer_id
);

select *
from custseg.customer_features('order_lines', as_of := timestamp '2024-03-01')
