-- expected_counts(counts): the counts of attribute_counts beside those to expect.
-- in:  counts as attribute_counts gives them
-- out: as segment_crosstab; without the attributes that are left out
-- source: Haberman (1973), adjusted residuals: (n - expected) / sqrt(expected
--      * (1 - segment's share) * (1 - value's share))
create or replace macro custseg.expected_counts(counts) as table
with cells as (
    select
        *,
        (sum(n_customers) over (partition by attribute, segment))::double as n_segment,
        (sum(n_customers) over (partition by attribute, value_rank))::double as n_value,
        (sum(n_customers) over (partition by attribute))::double as n_known,
    from query_table(counts)
    where left_out is null
)
select
    attribute,
    value,
    value_rank,
    segment,
    n_customers,
    n_customers / nullif(n_segment, 0) as segment_share,
    n_value / n_known as population_share,
    n_segment * n_value / n_known as expected,
    (n_customers - expected) / nullif(sqrt(
        expected * ((n_known - n_segment) / n_known) * ((n_known - n_value) / n_known)
    ), 0) as residual,
from cells;
