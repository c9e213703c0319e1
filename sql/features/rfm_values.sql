-- rfm_values(customers): what a customer's scores are made of, checked.
-- in:  customers(customer_id, recency_days, frequency, monetary; the last three finite
--      or NULL), each customer once
-- out: these columns
create or replace macro custseg.rfm_values(customers) as table
with customers_found as materialized (
    select customer_id, recency_days, frequency, monetary
    from query_table(customers)
),
customers_counted as (
    select
        count(*) as n_customers,
        count(customer_id) as n_known,
        count(distinct customer_id) as n_distinct,
        min(recency_days::double) filter (not isfinite(recency_days::double))
            as odd_recency,
        min(frequency::double) filter (not isfinite(frequency::double))
            as odd_frequency,
        min(monetary::double) filter (not isfinite(monetary::double)) as odd_monetary,
    from customers_found
)
select customers_found.*
from customers_found
cross join customers_counted
where
    custseg.require(n_known = n_customers,
        'customer_id must not be NULL, got NULL in {} rows [null-value]',
        n_customers - n_known)
    and custseg.require(n_distinct = n_known,
        'customers must hold each customer once, got {} rows too many [repeated-rows]',
        n_known - n_distinct)
    and custseg.require(odd_recency is null,
        'recency_days must be finite, got {} [not-finite]', odd_recency)
    and custseg.require(odd_frequency is null,
        'frequency must be finite, got {} [not-finite]', odd_frequency)
    and custseg.require(odd_monetary is null,
        'monetary must be finite, got {} [not-finite]', odd_monetary);
