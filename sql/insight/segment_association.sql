-- segment_association(segments, attributes, n_bins, max_values): which of the user's
--      own columns have something to do with the segments, and how much.
-- in:  see segment_crosstab
-- out: attribute, n_customers (whose value is known), n_values, n_segments (with such
--      customers), chi_square, degrees, p_value, cramers_v (0 to 1),
--      cramers_v_corrected (the same without what chance gives), effect ('none',
--      'small' from Cohen's w = cramers_v_corrected * sqrt(min(n_values, n_segments)
--      - 1) of 0.1 on, 'medium' from 0.3, 'large' from 0.5), smallest_expected,
--      few_share (of the cells: those where fewer than 5 are expected), is_reliable
--      (at least 1 expected everywhere, few_share up to 0.2), p_value_bonferroni
--      (of as many tests as there are), left_out (NULL, or why there is no test);
--      the strongest first; NULL where undefined, as with one value or one segment
-- source: Cramer (1946), V; Bergsma (2013), A bias-correction for Cramer's V; Cohen
--      (1988), w; Cochran (1954), the rule of 1 and 5
create or replace macro custseg.segment_association(
    segments, attributes, n_bins := 5, max_values := 50
) as table
with custseg_counts as materialized (
    from custseg.attribute_counts(
        segments, attributes, n_bins := n_bins, max_values := max_values
    )
),
tables_found as (
    select
        attribute,
        sum(n_customers)::bigint as n_customers,
        count(distinct value_rank) as n_values,
        count(distinct segment) as n_segments,
        least(n_values, n_segments) - 1 as least_degrees,
        (n_values - 1) * (n_segments - 1) as degrees,
        case
            when degrees > 0
                then sum(
                    pow(n_customers - expected, 2) / expected
                    order by value_rank asc, segment asc
                )
        end as chi_square,
        case when degrees > 0 then min(expected) end as smallest_expected,
        case
            when degrees > 0 then count(*) filter (expected < 5) / count(*)
        end as few_share,
    from custseg.expected_counts('custseg_counts')
    -- a segment without known values is not in the test
    where expected > 0
    group by attribute
),
measured as (
    select
        *,
        custseg.chi_square_tail(chi_square, nullif(degrees, 0)) as p_value,
        -- rounding may take a perfect association beyond 1
        case
            when chi_square is not null
                then least(1, sqrt(chi_square / n_customers / least_degrees))
        end as cramers_v,
        -- of n customers a side of k has (k - 1) - (k - 1)^2 / (n - 1) to correct by
        nullif(least(
            (n_values - 1) * (n_customers - n_values),
            (n_segments - 1) * (n_customers - n_segments)
        ), 0) as room,
        case
            when chi_square is not null and room is not null
                then least(1, sqrt(
                    greatest(0, chi_square / n_customers * (n_customers - 1) - degrees)
                    / room
                ))
        end as cramers_v_corrected,
        cramers_v_corrected * sqrt(least_degrees) as cohens_w,
    from tables_found
)
select
    attribute,
    n_customers,
    n_values,
    n_segments,
    chi_square,
    degrees,
    p_value,
    cramers_v,
    cramers_v_corrected,
    case
        when cohens_w < 0.1 then 'none'
        when cohens_w < 0.3 then 'small'
        when cohens_w < 0.5 then 'medium'
        when cohens_w is not null then 'large'
    end as effect,
    smallest_expected,
    few_share,
    smallest_expected >= 1 and few_share <= 0.2 as is_reliable,
    case
        when p_value is not null then least(1, p_value * count(p_value) over ())
    end as p_value_bonferroni,
    null::varchar as left_out,
from measured
union all by name
select attribute, n_customers, left_out
from custseg_counts
where left_out is not null
order by cramers_v_corrected desc nulls last, attribute asc;
