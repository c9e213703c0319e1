-- frequent_candidates(plan, candidates, blocks): those that enough orders hold.
-- in:  plan, candidates and blocks as itemset_plan_of_rows, candidate_sets and
--      pair_blocks give them
-- out: first, second, third, shorter_pair, longer_pair, n_orders
create or replace macro custseg.frequent_candidates(plan, candidates, blocks) as table
-- materialized, so that a small table is read by several threads
with candidates_in_parts as materialized (
    from query_table(candidates)
),
known_blocks as materialized (
    from query_table(blocks)
)
select
    any_value(first) as first,
    any_value(second) as second,
    any_value(third) as third,
    shorter_pair,
    longer_pair,
    sum(bit_count(shorter.bits & longer.bits))::bigint as n_orders,
from candidates_in_parts
inner join known_blocks as shorter
    on shorter_pair = shorter.pair
-- a key made of both sides, so that blocks are not joined to blocks before all else
inner join known_blocks as longer
    on (longer_pair << 18) + shorter.block = (longer.pair << 18) + longer.block
group by shorter_pair, longer_pair
having sum(bit_count(shorter.bits & longer.bits))
    >= (select min_orders from query_table(plan));
