-- How compact the segments are and how far apart.
create temp table custseg_run_model_metrics as
from custseg.cluster_metrics(
    'temp.main.custseg_run_vectors', 'temp.main.custseg_run_segments'
)
where segment is null;
