-- pair_counts(rows, plan): how many orders hold each two items.
-- in:  rows and plan as mined_rows and itemset_plan_of_rows give them
-- out: pair BIGINT (base of the more frequent item + rank of the other), n_orders (any
--      count; an order with an item twice counts more than once); none if the plan
--      needs none
create or replace macro custseg.pair_counts(rows, plan) as table
with basket_rows as (
    from query_table(rows)
),
counted_items as (
    from query_table(rows)
    where (select method = 'sparse' and longest >= 2 from query_table(plan))
)
select counted_items.base + basket_rows.rank as pair, count(*) as n_orders
from counted_items
inner join basket_rows
    on counted_items.order_key = basket_rows.order_key
        and basket_rows.rank < counted_items.rank
group by pair;
