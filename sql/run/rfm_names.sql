-- The names of the RFM segments: to be edited. Every run uses them as they are.
create temp table custseg_run_rfm_names as
from custseg.rfm_names();
