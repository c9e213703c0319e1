-- rfm_cut_points(customers, n_bins): where the scores of rfm change, as a table that
--      can be kept, edited and used again.
-- in:  customers(customer_id, recency_days, frequency, monetary), as rfm and
--      customer_features give them; n_bins 2 to 9
-- out: measure ('recency', 'frequency', 'monetary'), score (1 to n_bins, high is good),
--      at_least DOUBLE (the least value of that score; NULL: no bound), below DOUBLE
--      (the next value that is too large for it; NULL: no bound). What is between two
--      values that were there scores as the lower one. A score that nobody has and a
--      measure without values have no row
create or replace macro custseg.rfm_cut_points(customers, n_bins := 5) as table
with customers_read as not materialized (
    select recency_days, frequency, monetary
    from query_table(customers)
    where custseg.require(n_bins between 2 and 9,
        'n_bins must be between 2 and 9, got {}', n_bins)
),
measured as (
    select
        unnest(['recency', 'frequency', 'monetary']) as measure,
        unnest([recency_days::double, frequency::double, monetary::double]) as value,
        count(*) over () as n_customers,
    from customers_read
),
-- as rfm does: by the customers who are worse, equal values alike
scored as (
    select
        measure,
        value,
        1 + n_bins * (
            rank() over (
                partition by measure
                order by case when measure = 'recency' then -value else value end asc
            ) - 1
        ) // n_customers as score,
    from measured
    where value is not null
),
lowest_values as (
    select measure, score::integer as score, min(value) as lowest
    from scored
    group by measure, score
)
select
    measure,
    score,
    case when lag(lowest) over by_value is not null then lowest end as at_least,
    lead(lowest) over by_value as below,
from lowest_values
window by_value as (partition by measure order by lowest asc)
order by list_position(['recency', 'frequency', 'monetary'], measure) asc, score asc;
