-- is_numeric(type): whether a column of that type can be a feature.
-- in:  type VARCHAR, as typeof gives it
-- out: BOOLEAN; false for NULL
create or replace macro custseg.is_numeric(type) as
coalesce(
    regexp_matches(
        type,
        '^(BOOLEAN|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*)$'
    ),
    false
);
