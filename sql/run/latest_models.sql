-- The latest version of each model.
create or replace view custseg.latest_models as
from custseg.models
qualify row_number() over (partition by name order by version desc) = 1;
