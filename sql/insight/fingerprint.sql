-- fingerprint(relation): whether two relations hold the same rows, in whatever order.
-- in:  relation: any
-- out: n_rows, fingerprint VARCHAR (16 hexadecimal digits: the sum of the rows' hashes,
--      which another version of DuckDB may compute otherwise)
create or replace macro custseg.fingerprint(relation) as table
with rows_read as not materialized (
    from query_table(relation)
)
select
    count(*) as n_rows,
    printf(
        '%016x',
        (coalesce(sum(hash(rows_read)::hugeint), 0) % (1::hugeint << 64))::ubigint
    ) as fingerprint,
from rows_read
having custseg.plain_texts();
