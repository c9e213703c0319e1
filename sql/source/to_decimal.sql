-- to_decimal(value, column_name): a number as DECIMAL(18, 4), exact in sums; an error
--      names column and value.
-- in:  value (number or text, or NULL), column_name VARCHAR (for the message)
-- out: DECIMAL(18, 4), NULL for NULL
create or replace macro custseg.to_decimal(value, column_name) as
case
    when value is not null and try_cast(value as decimal(18, 4)) is null
        then error(format(
            '{} must be a number below 10^14 like 12.50, got ''{}'' ({}) [value]',
            column_name, value, typeof(value)
        ))
    else try_cast(value as decimal(18, 4))
end;
