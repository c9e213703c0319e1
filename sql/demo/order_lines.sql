-- The Complete Journey's transactions with their products' names; 17 products are not
--      in the catalogue.
create or replace table order_lines as
select
    transactions.household_id as customer_id,
    transactions.basket_id as order_id,
    transactions.product_id,
    transactions.transaction_timestamp as ordered_at,
    transactions.quantity,
    transactions.sales_value as amount,
    products.department,
    products.product_category as category,
    products.product_type as product_name,
from read_parquet($transactions) as transactions
left join read_parquet($products) as products
    on transactions.product_id = products.product_id;
