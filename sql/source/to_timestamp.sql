-- to_timestamp(value, column_name, time_zone): a moment as TIMESTAMP in the shop's own
--      time, whatever the session's zone.
-- in:  value (DATE, TIMESTAMP, TIMESTAMPTZ or text; or NULL), column_name VARCHAR (for
--      the message), time_zone VARCHAR (NULL: keep the clock, what has an offset is
--      taken to UTC; else: from UTC to that zone)
-- out: TIMESTAMP, NULL for NULL
create or replace macro custseg.to_timestamp(value, column_name, time_zone) as
list_transform(
    [case
        when typeof(value) = 'TIMESTAMP WITH TIME ZONE'
            then timezone('UTC', try_cast(value as timestamptz))
        when typeof(value) = 'VARCHAR'
            and regexp_matches(value::varchar, ':\d\d.*(Z|z|[+-]\d\d(:?\d\d)?)$')
            then timezone('UTC', try_cast(value as timestamptz))
        else try_cast(value as timestamp)
    end],
    lambda clock: case
        when value is not null and isfinite(clock) is not true
            then error(format(
                '{} must be a timestamp like 2024-03-31 18:05:00, got ''{}'' ({})',
                column_name, value, typeof(value)
            ))
        when time_zone is null then clock
        else timezone(time_zone, make_timestamptz(epoch_us(clock)))
    end
)[1];
