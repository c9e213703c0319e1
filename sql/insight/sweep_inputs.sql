-- sweep_inputs(vectors, ks, algorithms, covariance_types, seed, n_bootstraps): what
--      k_sweep hands to Python, in one row.
-- in:  see k_sweep
-- out: features DOUBLE[][] (of the 20,000 customers with the smallest hash of their
--      features), ks, algorithms, covariance_types, seed, n_bootstraps, transform
create or replace macro custseg.sweep_inputs(
    vectors, ks, algorithms, covariance_types, seed, n_bootstraps
) as table
with known_vectors as (
    select features, transform
    from (
        select null as transform where false
        union all by name
        from query_table(vectors)
    )
    where features is not null
),
sampled_vectors as (
    from known_vectors
    order by hash(features) asc, features asc
    limit 20000
)
select
    list(features) as features,
    ks::bigint[] as ks,
    algorithms::varchar[] as algorithms,
    covariance_types::varchar[] as covariance_types,
    seed::bigint as seed,
    n_bootstraps::bigint as n_bootstraps,
    any_value(transform) as transform,
from sampled_vectors;
