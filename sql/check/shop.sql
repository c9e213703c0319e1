-- A shop whose answers are known. Customers 0 to 5 come six times for products 1 and 2,
--      at 10 each; customers 6 to 11 once, for product 3 at 5, the first three of them
--      for product 1 too, at 0.
create or replace temp view custseg_check_lines as
select
    customer_id,
    100 * customer_id + visit as order_id,
    product_id,
    timestamp '2024-01-01 12:00' + interval 1 day * (7 * visit + customer_id % 6)
        as ordered_at,
    case when customer_id < 6 then 10 when product_id = 3 then 5 else 0 end
        ::decimal(10, 2) as amount,
from range(12) as customers (customer_id)
cross join range(6) as visits (visit)
cross join (values (1), (2), (3)) as products (product_id)
where (customer_id < 6 and product_id < 3)
    or (customer_id >= 6 and visit = 0 and product_id = 3)
    or (customer_id between 6 and 8 and visit = 0 and product_id = 1);
