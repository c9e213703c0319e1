-- to_boolean(value, column_name): true or false; an error names column and value.
-- in:  value (BOOLEAN, number or text, or NULL), column_name VARCHAR (for the message)
-- out: BOOLEAN, NULL for NULL
create or replace macro custseg.to_boolean(value, column_name) as
case
    when value is not null and try_cast(value as boolean) is null
        then error(format(
            '{} must be true or false, got ''{}'' ({}) [value]',
            column_name, value, typeof(value)
        ))
    else try_cast(value as boolean)
end;
