-- What a run would cluster by.
select feature.name as feature, feature.department, feature.transform
from (
    select unnest(transform) as feature
    from custseg_run_transform
);
