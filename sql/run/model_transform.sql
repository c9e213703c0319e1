-- How raw features become vectors: as the fitted model has it.
create or replace temp table custseg_run_transform as
select model.features as transform
from custseg_run_model;
