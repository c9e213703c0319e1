-- to_timestamp(value, column_name, time_zone): a moment as TIMESTAMP in the shop's own
--      time, whatever the session's zone.
-- in:  value (DATE, TIMESTAMP, TIMESTAMPTZ or text; or NULL), column_name VARCHAR (for
--      the message), time_zone VARCHAR (NULL: keep the clock, what has an offset is
--      taken to UTC; else: from UTC to that zone)
-- out: TIMESTAMP, NULL for NULL
create or replace macro custseg.to_timestamp(value, column_name, time_zone) as
case
    when value is null then null
    -- text is read once: the list binds what came of it to a name
    when typeof(value) in ('VARCHAR', 'TIMESTAMP WITH TIME ZONE') then list_transform(
        [case
            when not custseg.has_offset(value) then try_cast(value as timestamp)
            else custseg.clock_of(try_cast(value as timestamptz), 'UTC')
        end],
        lambda clock: case
            when isfinite(clock) is not true then error(format(
                '{} must be a timestamp like 2024-03-31 18:05:00, '
                || 'got ''{}'' ({}) [value]',
                column_name, value, typeof(value)
            ))
            when time_zone is null then clock
            else custseg.clock_of(make_timestamptz(epoch_us(clock)), time_zone)
        end
    )[1]
    when isfinite(try_cast(value as timestamp)) is not true then error(format(
        '{} must be a timestamp like 2024-03-31 18:05:00, got ''{}'' ({}) [value]',
        column_name, value, typeof(value)
    ))
    when time_zone is null then try_cast(value as timestamp)
    else custseg.clock_of(
        make_timestamptz(epoch_us(try_cast(value as timestamp))), time_zone
    )
end;
