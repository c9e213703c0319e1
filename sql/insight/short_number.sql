-- short_number(number): a number as a person would write it.
-- in:  number DOUBLE
-- out: VARCHAR, of 4 digits or, from 1000 on, without decimals; NULL for NULL
create or replace macro custseg.short_number(number) as
case
    when abs(number) >= 1000 and abs(number) < 1e15 then round(number)::bigint::varchar
    else format('{:.4g}', number::double)
end;
