-- projected_pairs(plan, items, candidates): the pairs in these sets; in dense data
--      every item, beside the item 0.
-- in:  plan, items and candidates as itemset_plan_of_rows, mined_items and
--      candidate_sets give them
-- out: first, second, pair
create or replace macro custseg.projected_pairs(plan, items, candidates) as table
select first, second, shorter_pair as pair
from query_table(candidates)
where first is not null
union
select first, third, longer_pair
from query_table(candidates)
where first is not null
union
select 0, rank, base
from query_table(items)
where (select method = 'dense' from query_table(plan));
