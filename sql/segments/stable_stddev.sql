-- stable_stddev(value, origin, reach): an aggregate: the population standard deviation,
--      the same bits for any order of the rows.
-- in:  as stable_mean; up to 2^31 rows
-- out: DOUBLE, to about reach * 2^-30: from sums of whole numbers and of their squares;
--      0 where all values are the same but for rounding, within 1e-12 of their size;
--      NULL without values
create or replace macro custseg.stable_stddev(value, origin, reach) as
case
    when any_value(reach) <= 1e-12 * abs(any_value(origin)) then 0
    else any_value(reach)
end / (1 << 30) / nullif(count(value), 0) * sqrt(coalesce(
    count(value) * sum(
        round((value - origin) / nullif(reach, 0) * (1 << 30))::bigint
        * round((value - origin) / nullif(reach, 0) * (1 << 30))::bigint
    )
    - sum(round((value - origin) / nullif(reach, 0) * (1 << 30))::bigint)
    * sum(round((value - origin) / nullif(reach, 0) * (1 << 30))::bigint),
    0
)::double);
