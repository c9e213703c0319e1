-- require(condition, message, value): the guard of every option, so that SQL-only users
--      read the same errors; and that plain_texts().
-- in:  condition BOOLEAN, message VARCHAR with {} for the value and a code at its end,
--      value of any type
-- out: true, or an error
create or replace macro custseg.require(condition, message, value) as
case
    when condition and custseg.plain_texts() then true
    else error(replace(message, '{}', coalesce(value::varchar, 'NULL')))
end;
