-- to_whole(value, column_name): a whole number as BIGINT; an error names column and
--      value.
-- in:  value (number or text, or NULL), column_name VARCHAR (for the message)
-- out: BIGINT, NULL for NULL
create or replace macro custseg.to_whole(value, column_name) as
case
    when value is not null and try_cast(value as bigint) is null
        then error(format(
            '{} must be a whole number, got ''{}'' ({}) [value]',
            column_name, value, typeof(value)
        ))
    else try_cast(value as bigint)
end;
