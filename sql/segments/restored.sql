-- restored(value, transform, unit): the inverse of transformed.
-- in:  value, unit DOUBLE (unit > 0), transform 'log' or 'identity'
-- out: DOUBLE
create or replace macro custseg.restored(value, transform, unit) as
case
    when transform = 'log' then sign(value) * unit * (exp(abs(value)) - 1)
    else value
end;
