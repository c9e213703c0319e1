-- order_key(order_id): an order's id as a BIGINT, to join and group by.
-- in:  order_id of any type
-- out: BIGINT: a whole number as it is, else 63 bits of DuckDB's hash; mining_limits
--      makes sure that no two orders share them
create or replace macro custseg.order_key(order_id) as
case
    when custseg.is_whole(order_id) then try_cast(order_id as bigint)
    else (hash(order_id) >> 1)::bigint
end;
