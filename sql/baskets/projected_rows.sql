-- projected_rows(projected_pairs, exact_rows): what orders hold of the items in these
--      pairs.
-- in:  projected_pairs and exact_rows as the macros of these names give them
-- out: order_key, rank, base
create or replace macro custseg.projected_rows(projected_pairs, exact_rows) as table
select order_key, rank, base
from query_table(exact_rows)
semi join (
    select first as rank from query_table(projected_pairs)
    union
    select second from query_table(projected_pairs)
) using (rank);
