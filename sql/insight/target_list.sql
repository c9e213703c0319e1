-- target_list(wanted, of_run, segments, features): the customers of some segments with
--      their features, to be exported.
-- in:  wanted: a list of labels or numbers of segments, as texts (NULL: all); of_run: a
--      run's name; segments like custseg.labelled_segments; features like
--      custseg.customer_features
-- out: customer_id, segment, label, then the features but for department_share
create or replace macro custseg.target_list(
    wanted := null, of_run := 'default', segments := 'custseg.labelled_segments',
    features := 'custseg.customer_features'
) as table
with custseg_segments_read as (
    select customer_id, segment, label
    from query_table(segments)
    where run_name = of_run
),
custseg_features as (
    select * exclude (run_name)
    from (
        select null::map(varchar, double) as department_share where false
        union all by name
        from query_table(features)
    )
    where run_name = of_run
),
known as (
    select list_concat(
        coalesce(list(distinct label) filter (label is not null), []),
        coalesce(list(distinct segment::varchar), [])
    ) as names
    from custseg_segments_read
)
select
    custseg_segments_read.*,
    custseg_features.* exclude (customer_id, department_share),
from custseg_segments_read
inner join custseg_features
    on custseg_segments_read.customer_id = custseg_features.customer_id
cross join known
where
    custseg.require(list_has_all(names, coalesce(wanted, [])),
        'wanted must be labels or numbers of segments of the run, got {} [option]',
        wanted)
    and (wanted is null or list_has_any(
        [custseg_segments_read.label, custseg_segments_read.segment::varchar], wanted
    ))
order by custseg_segments_read.segment asc, custseg_segments_read.customer_id asc;
