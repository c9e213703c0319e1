-- rfm_summary(rfm_segments): the size of each named segment, its share of customers and
--      revenue, and how lately and how often its customers bought.
-- in:  rfm_segments as the macro of this name gives them
-- out: rfm_segment, priority (of its first rule), n_customers, customer_share (0 to 1),
--      monetary (currency; NULL without amounts), monetary_share (of the net revenue;
--      NULL if that is 0), mean_recency_days, median_recency_days, mean_frequency,
--      median_frequency (NULL where no value is known); in the order of priority, no
--      row for a segment without customers
create or replace macro custseg.rfm_summary(rfm_segments) as table
with segment_totals as (
    select
        rfm_segment,
        min(priority) as priority,
        count(*) as n_customers,
        sum(monetary::decimal(38, 4)) as monetary,
        sum(recency_days::decimal(38, 4))::double / nullif(count(recency_days), 0)
            as mean_recency_days,
        quantile_cont(recency_days::double, 0.5) as median_recency_days,
        sum(frequency::decimal(38, 4))::double / nullif(count(frequency), 0)
            as mean_frequency,
        quantile_cont(frequency::double, 0.5) as median_frequency,
    from query_table(rfm_segments)
    group by rfm_segment
)
select
    rfm_segment,
    priority,
    n_customers,
    n_customers / sum(n_customers) over () as customer_share,
    monetary::double as monetary,
    monetary::double / nullif((sum(monetary) over ())::double, 0) as monetary_share,
    mean_recency_days,
    median_recency_days,
    mean_frequency,
    median_frequency,
from segment_totals
order by priority asc;
