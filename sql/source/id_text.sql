-- id_text(value, type): an id as text: a whole number alike, whatever type it has.
-- in:  value VARCHAR, an id's text; type VARCHAR, what typeof says of it or of its list
-- out: VARCHAR; '7' for 7.0 of a type with decimals, as data frames have it
create or replace macro custseg.id_text(value, type) as
case
    when regexp_matches(type, '^(DOUBLE|FLOAT|DECIMAL)')
        then regexp_replace(value, '\.0+$', '')
    else value
end;
