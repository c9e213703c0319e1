-- rfm_segments(customers, cut_points, names): the one named segment of each customer,
--      by cut points and names that were kept: a segmentation by rules.
-- in:  customers and cut_points as rfm_scores takes them, names as rfm_cells takes them
--      (for as many scores as the cut points have)
-- out: customer_id, recency_days, frequency, monetary, r_score, f_score, m_score,
--      rfm_cell as rfm_scores gives them; rfm_segment, priority as in rfm_cells. Each
--      customer once
create or replace macro custseg.rfm_segments(customers, cut_points, names) as table
with custseg_customers_scored as (
    from custseg.rfm_scores(customers, cut_points)
),
custseg_cells_named as (
    from custseg.rfm_cells(names)
)
select customers_scored.*, rfm_segment, priority
from custseg_customers_scored as customers_scored
inner join custseg_cells_named as cells_named using (rfm_cell);
