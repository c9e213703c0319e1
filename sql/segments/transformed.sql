-- transformed(value, transform, unit): a raw feature value on the scale where
--      differences compare.
-- in:  value, unit DOUBLE (unit > 0), transform 'log' or 'identity'
-- out: DOUBLE: sign(value) * ln(1 + abs(value) / unit), which refunds do not break; or
--      value
create or replace macro custseg.transformed(value, transform, unit) as
case
    when transform = 'log' then sign(value) * ln(1 + abs(value) / unit)
    else value
end;
