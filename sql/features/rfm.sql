-- rfm(lines, as_of, n_bins): recency, frequency and monetary value of each customer,
--      with scores.
-- in:  lines as order_lines takes them; as_of (default: the midnight after the last
--      order); n_bins 2 to 9
-- out: customer_id, recency_days (>= 0, from the last order's day to as_of's),
--      frequency (orders with a purchase, >= 1), monetary (currency, net of returns),
--      r_score, f_score, m_score (1 to n_bins, high is good, equal values get equal
--      scores; NULL where the value is), rfm_cell (the scores' digits), rfm_label
create or replace macro custseg.rfm(lines, as_of := null, n_bins := 5) as table
with custseg_orders as (
    from custseg.orders(lines, as_of := as_of)
)
from custseg.rfm_of_orders('custseg_orders', as_of := as_of, n_bins := n_bins);
