-- What puts a customer into each segment, more or less: one row per segment. condition
--      is SQL over customer_features, description the same in words; precision is the
--      share of those whom it selects that are in the segment, recall the share of the
--      segment that it selects.
create or replace view custseg.decision_rules as
select
    rules.run_name,
    rules.segment,
    segment_labels.label,
    rules.* exclude (run_name, segment),
from (
    select run_name, unnest(segments, recursive := true)
    from custseg.decision_trees
) as rules
left join custseg.segment_labels
    on rules.run_name = segment_labels.run_name
        and rules.segment = segment_labels.segment;
