-- decision_rules(tree): the rules of a decision tree, one segment a row.
-- in:  tree: the row of decision_tree
-- out: segment, condition (SQL), description (in English), n_customers, precision,
--      recall, as in decision_tree
create or replace macro custseg.decision_rules(tree) as table
with rules_found as (
    select unnest(tree_read.segments) as found
    from query_table(tree) as tree_read
)
select
    found.segment as segment,
    found.condition as condition,
    found.description as description,
    found.n_customers as n_customers,
    found.precision as precision,
    found.recall as recall,
from rules_found
order by segment asc;
