MODEL (
    name reports.spring_customers,
    kind FULL,
    grain customer_id,
    audits (unique_values(columns := (customer_id)), not_null(columns := (segment)))
);

-- The segment of each customer by the stored model, as of the end of February. A macro reads
-- another model through a CTE: SQLMesh does not see names in text.
with features as (
    select * from reports.spring_features
)
select
    customer_id,
    segment
from custseg.score('features', 'default')
