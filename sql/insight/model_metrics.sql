-- model_metrics(vectors, models): stored models side by side: the measures of
--      cluster_metrics for the segments that each assigns to the same customers.
-- in:  vectors(customer_id, features DOUBLE[] in the models' order and scale; NULL is
--      left out); models(name, model), like custseg.models, each name once
-- out: name, algorithm, k (segments of the model, also those without customers here),
--      then as cluster_metrics (segment NULL: all customers), mean_entropy (of the
--      probabilities, in nats, 0 to ln k: how undecided a mixture is; NULL for
--      K-Means), then of the fit: log_likelihood, bic, aic (NULL for K-Means), n_iter,
--      converged
create or replace macro custseg.model_metrics(vectors, models) as table
with custseg_models_read as materialized (
    select name::varchar as name, model
    from query_table(models)
),
custseg_vectors_read as not materialized (
    from query_table(vectors)
),
models_found as materialized (
    select *
    from custseg_models_read
    where
        custseg.require(custseg.check_model(model) = 'ok',
            'the stored model cannot be used: {} [model-damaged]',
            custseg.check_model(model))
        and (
            select custseg.require(count(*) = count(distinct name),
                'models must hold each name once, got {} rows too many [repeated-rows]',
                count(*) - count(distinct name))
            from custseg_models_read
        )
),
custseg_members as materialized (
    select
        models_found.name,
        customer_id,
        custseg.assign(models_found.model, features) as segment,
        features,
    from custseg_vectors_read
    cross join models_found
    where features is not null
),
entropies as (
    select
        name,
        segment,
        custseg.stable_mean(entropy, 0::double, custseg.reach(largest)) as mean_entropy,
    from (
        select
            mixtures.name,
            segment,
            ln(len(mixtures.model.components)) as largest,
            list_sum(list_transform(
                custseg.probabilities(mixtures.model, features),
                lambda share: case when share > 0 then -share * ln(share) else 0 end
            )) as entropy,
        from custseg_members
        inner join (from models_found where model.algorithm = 'gmm') as mixtures
            on custseg_members.name = mixtures.name
    )
    group by grouping sets ((name, segment), (name))
)
select
    models_found.name,
    models_found.model.algorithm as algorithm,
    len(models_found.model.components) as k,
    metrics.* exclude (name),
    mean_entropy,
    models_found.model.log_likelihood as log_likelihood,
    models_found.model.bic as bic,
    models_found.model.aic as aic,
    models_found.model.n_iter as n_iter,
    models_found.model.converged as converged,
from custseg.metrics_of_members('custseg_members') as metrics
inner join models_found on metrics.name = models_found.name
left join entropies
    on metrics.name = entropies.name
        and metrics.segment is not distinct from entropies.segment
order by models_found.name asc, metrics.segment asc nulls first;
