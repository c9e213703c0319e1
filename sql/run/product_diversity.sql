-- How varied each customer's purchases are.
create temp table custseg_run_product_diversity as
from custseg.product_diversity_of_counts('temp.main.custseg_run_repeat_counts');
