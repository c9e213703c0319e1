-- segment_crosstab(segments, attributes, n_bins, max_values): the user's own columns
--      (region, age, ...) against the segments: how many customers have which value
--      where, beside how many would if the two had nothing to do with each other.
-- in:  segments(customer_id, segment of any type); attributes: any relation with
--      customer_id and columns of any type, but for segment and run_name, which are not
--      looked at; customers at most once in each. n_bins: numbers (as DOUBLE) of more
--      than 2 * n_bins values are cut by quantiles into up to n_bins bins, equal values
--      in one. max_values: other columns, as text, are left out if they have more
--      values (segment_association says which)
-- out: attribute, value (of a bin '12 to 30', its lowest and highest value, with 4
--      digits where these tell the bins apart), value_rank (1 is the lowest of the
--      attribute), segment, n_customers, segment_share (of the segment's customers
--      whose value is known; NULL without any), population_share (of all customers
--      whose value is known), expected (customers, under independence), residual
--      (adjusted standardized: beyond -2 and 2 it is seldom chance; NULL where
--      undefined); all values with all segments, also those of 0 customers
-- source: Haberman (1973), The analysis of residuals in cross-classified tables
create or replace macro custseg.segment_crosstab(
    segments, attributes, n_bins := 5, max_values := 50
) as table
with custseg_counts as materialized (
    from custseg.attribute_counts(
        segments, attributes, n_bins := n_bins, max_values := max_values
    )
)
from custseg.expected_counts('custseg_counts')
order by attribute asc, value_rank asc, segment asc;
