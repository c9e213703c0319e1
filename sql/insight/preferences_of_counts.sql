-- preferences_of_counts(counts, segments, n): what each segment buys the most, and what
--      it prefers.
-- in:  counts(customer_id, kind, value, n_lines), a row per customer, kind and value;
--      segments(customer_id, segment); n: how many of each segment and kind
-- out: segment, kind, value, n_lines, n_customers, share (of the segment's lines of
--      that kind), population_share (of all customers'), preference_index (share /
--      population_share), share_rank (1 is the largest share), preference_rank (1 is
--      what sets the segment apart from the others: the largest log-likelihood ratio;
--      NULL below 5 customers and for what others buy more), log_likelihood; those with
--      either rank up to n
-- source: Dunning (1993), the log-likelihood ratio
create or replace macro custseg.preferences_of_counts(
    counts, segments, n := 20
) as table
with custseg_counts_read as not materialized (
    select customer_id, kind, value, n_lines
    from query_table(counts)
),
custseg_segments as not materialized (
    select customer_id, segment
    from query_table(segments)
    where segment is not null
    qualify custseg.require(count(*) over (partition by customer_id) = 1,
        'segments must hold each customer once, got {} more than once [repeated-rows]',
        customer_id)
),
counted as materialized (
    select
        segment,
        kind,
        value,
        sum(n_lines)::bigint as n_lines,
        count(*) as n_customers,
    from custseg_counts_read
    inner join custseg_segments
        on custseg_counts_read.customer_id = custseg_segments.customer_id
    where custseg.require(n >= 1, 'n must be at least 1, got {} [option]', n)
    group by segment, kind, value
),
totals_of_segments as (
    select segment, kind, sum(n_lines) as n_of_segment
    from counted
    group by segment, kind
),
totals_of_values as (
    select kind, value, sum(n_lines) as n_of_value
    from counted
    group by kind, value
),
totals_of_kinds as (
    select kind, sum(n_of_segment) as n_of_kind
    from totals_of_segments
    group by kind
),
-- joined, which takes half the time of windows over so many values
totals as (
    select *
    from counted
    inner join totals_of_segments using (segment, kind)
    inner join totals_of_values using (kind, value)
    inner join totals_of_kinds using (kind)
),
shares as (
    select
        *,
        n_lines / n_of_segment as share,
        n_of_value / n_of_kind as population_share,
        share > population_share and n_customers >= 5 as is_preferred,
        row_number() over (
            partition by segment, kind order by n_lines desc, value asc
        ) as share_rank,
    from totals
),
-- most values are neither among the largest nor preferred
candidates as (
    select
        *,
        -- observed counts: here and elsewhere, of this value and of others
        [
            n_lines, n_of_value - n_lines,
            n_of_segment - n_lines, n_of_kind - n_of_segment - n_of_value + n_lines
        ] as observed,
        [
            n_of_segment * n_of_value, (n_of_kind - n_of_segment) * n_of_value,
            n_of_segment * (n_of_kind - n_of_value),
            (n_of_kind - n_of_segment) * (n_of_kind - n_of_value)
        ] as expected_times_all,
    from shares
    where share_rank <= n or is_preferred
),
judged as (
    select
        *,
        share / population_share as preference_index,
        greatest(2 * list_sum(list_transform(
            list_zip(observed, expected_times_all),
            lambda custseg_cell: case when custseg_cell[1] > 0
                then custseg_cell[1]
                    * ln(custseg_cell[1]::double * n_of_kind / custseg_cell[2])
                else 0
            end
        )), 0) as log_likelihood,
    from candidates
),
ranked as (
    select
        *,
        case when is_preferred then row_number() over (
            partition by segment, kind, is_preferred
            order by log_likelihood desc, value asc
        ) end as preference_rank,
    from judged
)
select
    segment, kind, value, n_lines, n_customers, share, population_share,
    preference_index, share_rank, preference_rank, log_likelihood,
from ranked
where share_rank <= n or preference_rank <= n
order by segment asc, kind asc, share_rank asc;
