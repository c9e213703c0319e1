-- clock_of(moment, time_zone): what the clocks of a zone show at a moment.
-- in:  moment TIMESTAMPTZ, time_zone VARCHAR
-- out: TIMESTAMP; an error where DuckDB's calendar is none of our years and months
create or replace macro custseg.clock_of(moment, time_zone) as
case
    when current_setting('calendar') = 'gregorian' then timezone(time_zone, moment)
    else error(format(
        'calendar must be gregorian to tell the time in a zone, got {} [option]',
        current_setting('calendar')
    ))
end;
