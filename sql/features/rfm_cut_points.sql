-- rfm_cut_points(customers, n_bins): the raw values where the scores of rfm begin and
--      end, to be kept, edited, and used again by rfm_segments.
-- in:  customers(customer_id, recency_days, frequency, monetary; the last three may be
--      NULL), each customer once, as rfm or customer_features give them; n_bins 2 to 9
-- out: measure ('recency', 'frequency', 'monetary'), score (1 to n_bins, high is good;
--      no row for one that nobody has), at_least, at_most (DOUBLE, NULL is no bound).
--      Where one score ends another begins, at the worst value that had the better
--      score; this value itself has the better score, one between two that were seen
--      has the lower score. So recency is above at_least and up to at_most, frequency
--      and monetary are from at_least to below at_most
-- source: Hughes, Strategic Database Marketing (1994)
create or replace macro custseg.rfm_cut_points(customers, n_bins := 5) as table
with custseg_customer_values as materialized (
    from custseg.rfm_values(customers)
),
customers_counted as (
    select count(*) as n_customers
    from custseg_customer_values
    having custseg.require(n_bins in (2, 3, 4, 5, 6, 7, 8, 9),
        'n_bins must be a whole number from 2 to 9, got {} [option]', n_bins)
),
-- merit: the more the better, so recency with its sign turned
merits_counted as (
    select 'recency' as measure, -recency_days::double as merit, count(*) as n
    from custseg_customer_values
    where recency_days is not null
    group by merit
    union all
    select 'frequency', frequency::double as merit, count(*)
    from custseg_customer_values
    where frequency is not null
    group by merit
    union all
    select 'monetary', monetary::double as merit, count(*)
    from custseg_customer_values
    where monetary is not null
    group by merit
),
merits_scored as (
    select
        measure,
        merit,
        1 + n_bins * coalesce(sum(n) over (
            partition by measure order by merit asc
            rows between unbounded preceding and 1 preceding
        ), 0)::bigint // n_customers as score,
    from merits_counted
    cross join customers_counted
),
scores_found as (
    select
        measure,
        score,
        min(merit) as least_merit,
        score = min(score) over (partition by measure) as is_lowest,
        lead(least_merit) over (partition by measure order by score asc) as next_merit,
    from merits_scored
    group by measure, score
)
select
    measure,
    score::integer as score,
    case
        when measure = 'recency' then -next_merit
        when not is_lowest then least_merit
    end as at_least,
    case
        when measure <> 'recency' then next_merit
        when not is_lowest then -least_merit
    end as at_most,
from scores_found
order by list_position(['recency', 'frequency', 'monetary'], measure) asc, score asc;
