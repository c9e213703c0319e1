-- has_offset(value): whether a moment says how far its clock is from UTC.
-- in:  value, a date, a moment or text
-- out: BOOLEAN; true of TIMESTAMPTZ and of text like 2024-03-31 18:05:00+02
create or replace macro custseg.has_offset(value) as
typeof(value) = 'TIMESTAMP WITH TIME ZONE'
or (
    typeof(value) = 'VARCHAR'
    and regexp_matches(value::varchar, ':\d\d.*(Z|z|[+-]\d\d(:?\d\d)?)$')
);
