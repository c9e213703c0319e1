-- least_count(n_orders, min_support, min_count): how many orders are enough.
-- in:  n_orders >= 0; min_support (0, 1] (share of orders) or min_count >= 1 (orders)
-- out: BIGINT, at least 1, or an error
create or replace macro custseg.least_count(n_orders, min_support, min_count) as
case
    when
        custseg.require(min_count is null or coalesce(min_support, 0.01) = 0.01,
            'give min_support or min_count, not both, got ' || min_support
            || ' and {} [option]', min_count)
        and custseg.require(
            min_count is not null or (min_support > 0 and min_support <= 1),
            'min_support must be in (0, 1], got {} [option]', min_support)
        and custseg.require(coalesce(min_count, 1) >= 1,
            'min_count must be at least 1, got {} [option]', min_count)
    then coalesce(
        min_count, greatest(1, ceil(min_support * n_orders - 1e-9))
    )::bigint
end;
