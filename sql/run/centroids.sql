-- The centres of the segments.
create temp table custseg_run_centroids as
from custseg.centroids('temp.main.custseg_run_model');
