-- How raw features become vectors: as in the model that the run goes on from.
create temp table custseg_run_transform as
select model.features as transform
from custseg.stored_model($run_name, $previous_version);
