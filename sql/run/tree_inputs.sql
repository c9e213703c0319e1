-- The customers and their segments, of which a tree is made.
from custseg.tree_inputs(
    'temp.main.custseg_run_customer_features', 'temp.main.custseg_run_segments', 4,
    include := $clustered_by
);
