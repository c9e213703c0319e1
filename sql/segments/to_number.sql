-- to_number(value): a feature's value; of columns that are no features not one is read.
-- in:  value: of any type
-- out: DOUBLE; NULL if the type is not numeric, whatever the value
create or replace macro custseg.to_number(value) as
case when custseg.is_numeric(typeof(value)) then try_cast(value as double) end;
