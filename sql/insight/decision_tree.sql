-- decision_tree(features, segments, max_depth, include, exclude): a short rule for
--      segments, as SQL that runs anywhere: a small tree that says nearly the same.
-- in:  features: any relation with customer_id and numeric or boolean columns, NULL
--      where unknown, and optionally department_share MAP(VARCHAR, DOUBLE);
--      segments(customer_id, segment: any whole numbers; NULL is left out);
--      max_depth (1 to 10): how many conditions a customer may have to meet; include,
--      exclude: lists of column names, as in feature_transform, and the same default
-- out: one row: case_expression (a CASE over the columns of features, whose value is
--      the segment; of a single segment its number), fidelity (share of the customers
--      on which it agrees), baseline (share of the largest segment: what guessing
--      gives), n_leaves, depth, n_customers, segments: a list of {segment, condition
--      (SQL, true or false: of all segments one is true), description (in English),
--      n_customers (whom the condition selects), precision (share of these that are of
--      the segment; NULL of none), recall (share of the segment that is selected)}. The
--      smallest tree within 0.02 of the best fidelity that max_depth and 2 * segments +
--      2 leaves allow; a segment too small to show in that one has the condition false.
--      Unknown values are taken for a round number close to the median. Needs the UDFs
--      of custseg_duck.load
-- source: Breiman, Friedman, Olshen & Stone (1984)
create or replace macro custseg.decision_tree(
    features, segments, max_depth := 4, include := null, exclude := null
) as table
select unnest(system.main.custseg_decision_tree(customers, columns, max_depth))
from custseg.tree_inputs(
    features, segments, max_depth, include := include, exclude := exclude
);
