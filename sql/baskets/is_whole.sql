-- is_whole(value): whether a value is of a type of whole numbers of up to 64 bits;
--      known when a query is planned.
-- in:  value of any type
-- out: BOOLEAN
create or replace macro custseg.is_whole(value) as
typeof(value) in (
    'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'UTINYINT', 'USMALLINT', 'UINTEGER'
);
