-- exact_rows(plan, rows, pairs): which of the items each order holds, each once.
-- in:  plan, rows and pairs as itemset_plan_of_rows, mined_rows and pair_counts give
--      them
-- out: order_key, rank, base
create or replace macro custseg.exact_rows(plan, rows, pairs) as table
-- two items of one order are a pair, unless they are the same: then pairs are missing
with duplicate_check as materialized (
    select
        method <> 'sparse' or longest < 2
            or n_pairs > (select coalesce(sum(n_orders), 0) from query_table(pairs))
            as may_repeat,
    from query_table(plan)
)
from query_table(rows)
where not (select may_repeat from duplicate_check)
union all
select distinct order_key, rank, base
from query_table(rows)
where (select may_repeat from duplicate_check);
