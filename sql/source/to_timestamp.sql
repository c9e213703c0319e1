-- to_timestamp(value, column_name, time_zone): a moment as TIMESTAMP in the shop's own
--      time, whatever the session's zone.
-- in:  value (DATE, TIMESTAMP, TIMESTAMPTZ or text; or NULL), column_name VARCHAR (for
--      the message), time_zone VARCHAR (NULL: keep the clock as it is, TIMESTAMPTZ read
--      as UTC; else: from UTC to that zone)
-- out: TIMESTAMP, NULL for NULL
create or replace macro custseg.to_timestamp(value, column_name, time_zone) as
list_transform(
    [case typeof(value)
        when 'TIMESTAMP WITH TIME ZONE' then try_cast(value::varchar as timestamp)
        else try_cast(value as timestamp)
    end],
    lambda clock: case
        when value is not null and isfinite(clock) is not true
            then error(format(
                '{} must be a timestamp like 2024-03-31 18:05:00, got ''{}'' ({})',
                column_name, value, typeof(value)
            ))
        when time_zone is null then clock
        else timezone(time_zone, timezone('UTC', clock))
    end
)[1];
