-- score(customers, model_name, model_version, models): the segments of customers by a
--      stored model.
-- in:  customers: raw feature rows as custseg.customer_features gives them, columns in
--      any order; model_name: a name in models; model_version (default: the latest);
--      models: like custseg.models
-- out: customer_id, segment INTEGER, features DOUBLE[] (the vector that decided)
create or replace macro custseg.score(
    customers, model_name := 'default', model_version := null,
    models := 'custseg.models'
) as table
with custseg_model as materialized (
    select model
    from custseg.stored_model(
        model_name, model_version := model_version, models := models
    )
),
custseg_vectors as not materialized (
    from custseg.apply_transform(
        customers,
        (select model.features from custseg_model)
    )
)
select
    customer_id,
    custseg.assign(model, custseg_vectors.features) as segment,
    custseg_vectors.features,
from custseg_vectors
cross join custseg_model;
