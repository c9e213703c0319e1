-- score(customers, model_name): the segments of customers by a stored model.
-- in:  customers: raw feature rows as custseg.customer_features gives them, columns in
--      any order; model_name: a name in custseg.models
-- out: customer_id, segment INTEGER, features DOUBLE[] (the vector that decided)
create or replace macro custseg.score(customers, model_name := 'default') as table
with vectors as not materialized (
    from custseg.apply_transform(
        customers,
        (
            select max(model.features) filter (name is not distinct from model_name)
            from custseg.models
            having
                custseg.require(count(*) filter (name = model_name) = 1,
                    'model_name must be one of custseg.models (' || coalesce(
                        string_agg(name, ', ' order by name asc), 'none'
                    ) || '), got {}', model_name)
                and custseg.require(
                    bool_and(custseg.check_model(model) = 'ok')
                        filter (name = model_name),
                    'the stored model cannot be used: {}',
                    max(custseg.check_model(model)) filter (name = model_name))
        )
    )
)
select
    customer_id,
    custseg.assign(model, vectors.features) as segment,
    vectors.features,
from vectors
cross join (
    select model
    from custseg.models
    where name is not distinct from model_name
);
