-- to_text(value): a category's value; of columns that are none not one is read.
-- in:  value: of any type
-- out: VARCHAR; NULL if the type is neither text nor boolean, whatever the value
create or replace macro custseg.to_text(value) as
case
    when regexp_matches(typeof(value), '^(VARCHAR|BOOLEAN|ENUM)') then value::varchar
end;
