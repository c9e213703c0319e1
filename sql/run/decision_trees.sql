-- The segments as rules to read and to paste into a query: one row per run. Its columns
--      are those of decision_tree.
create temp table custseg_run_decision_trees as
select $run_name as run_name, unnest(made)
from temp.main.custseg_run_made;
