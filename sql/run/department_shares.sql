-- The share of each department in each customer's purchases.
create temp table custseg_run_department_shares as
with custseg_department_counts as (
    from custseg.department_counts('temp.main.custseg_run_lines', as_of := $as_of)
)
from custseg.department_shares_of_counts('custseg_department_counts');
