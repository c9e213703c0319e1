-- to_text(value): a category's value; of columns that are none not one is read.
-- in:  value: of any type
-- out: VARCHAR; NULL if the type is not text, whatever the value
create or replace macro custseg.to_text(value) as
case
    when regexp_matches(typeof(value), '^(VARCHAR|ENUM\(.*\))$') then value::varchar
end;
