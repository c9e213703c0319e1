-- stable_mean(value, origin, reach): an aggregate: the mean, the same bits for any
--      order of the rows and any number of threads.
-- in:  value DOUBLE; origin and reach, equal on all rows of the group: every |value -
--      origin| <= reach; reach a power of 2, or 0
-- out: DOUBLE, within reach * 2^-46 of the mean: a sum of whole numbers, exact for
--      whole values below 2^45; NULL without values
create or replace macro custseg.stable_mean(value, origin, reach) as
any_value(origin) + any_value(reach)
    * coalesce(
        sum(round((value - origin) / nullif(reach, 0) * (1::bigint << 45))::bigint), 0
    )::double
    / (1::bigint << 45) / nullif(count(value), 0);
