-- Order lines in the columns that custseg_duck knows.
select
    household as customer_id,
    receipt as order_id,
    article as product_id,
    sold_at as ordered_at,
    pieces as quantity,
    total as amount,
    department,
    article_name as product_name
from {{ source('shop', 'till') }}
