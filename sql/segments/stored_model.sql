-- stored_model(model_name, model_version, models): one of the stored models, if it can
--      be trusted.
-- in:  model_name: a name in models; model_version (default: the latest); models
--      (name, model, and as in custseg.models version, checksum, which may be lacking)
-- out: name, version, model
create or replace macro custseg.stored_model(
    model_name, model_version := null, models := 'custseg.models'
) as table
with custseg_stored as not materialized (
    select null::varchar as checksum, null::integer as version where false
    union all by name
    from query_table(models)
),
versions_found as (
    select
        name,
        version,
        model,
        checksum,
        name is not distinct from model_name and version is not distinct from coalesce(
            model_version, max(version) filter (name = model_name) over ()
        ) as is_chosen,
    from custseg_stored
)
select
    any_value(name) filter (is_chosen) as name,
    any_value(version) filter (is_chosen) as version,
    any_value(model) filter (is_chosen) as model,
from versions_found
having
    custseg.require(count(*) filter (is_chosen) = 1,
        'model_name must be one of the stored ones (' || coalesce(
            string_agg(
                name || coalesce(' version ' || version, ''), ', '
                order by name asc, version asc
            ),
            'none'
        ) || ') and name one version, got {} [no-model]',
        coalesce(model_name::varchar, 'NULL')
        || coalesce(' version ' || model_version::varchar, ''))
    and custseg.require(
        bool_and(custseg.check_model(model) = 'ok') filter (is_chosen),
        'the stored model cannot be used: {} [model-damaged]',
        max(custseg.check_model(model)) filter (is_chosen))
    and custseg.require(
        coalesce(
            bool_and(checksum = custseg.model_checksum(model)) filter (is_chosen), true
        ),
        'the stored model must be as it was fitted, got another checksum than {} '
        || '[model-damaged]',
        max(checksum) filter (is_chosen));
