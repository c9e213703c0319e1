-- folded(name): a column's name as DuckDB compares it, which folds A to Z and no other
--      letters.
-- in:  name VARCHAR
-- out: VARCHAR; NULL for NULL
create or replace macro custseg.folded(name) as
translate(name, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz');
