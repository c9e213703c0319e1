-- tree_inputs(features, segments, max_depth, include, exclude): what decision_tree
--      hands to Python, in one row.
-- in:  see decision_tree
-- out: customers: a list of {numbers DOUBLE[] (NULL where unknown), segment BIGINT};
--      columns: a list of {name, department, type, in_words}, one per number; max_depth
create or replace macro custseg.tree_inputs(
    features, segments, max_depth, include := null, exclude := null
) as table
with custseg_column_types as (
    select try_cast(custseg_types as map(varchar, varchar)) as types
    from (select typeof(columns(*)) from query_table(features) limit 1) as custseg_types
),
custseg_steps as materialized (
    select transform as steps
    from custseg.feature_transform(features, include := include, exclude := exclude)
),
-- raw values: nothing is transformed, and only shares are 0 where there are none
custseg_numbers as not materialized (
    select customer_id, numbers
    from custseg.apply_transform(
        features,
        (
            select list_transform(steps, lambda step: {
                'name': step.name,
                'department': step.department,
                'transform': 'identity',
                'fill': case when step.department is not null then 0::double end,
                'unit': 1::double,
                'center': 0::double,
                'scale': 1::double,
                'weight': 1::double
            })
            from custseg_steps
        )
    ) as raw_vectors (customer_id, numbers, steps)
),
customers_found as not materialized (
    select
        numbers_found.customer_id,
        numbers,
        segment,
        coalesce(try_cast(segment as double) = try_cast(segment as bigint), false)
            as is_whole,
    from custseg_numbers as numbers_found
    inner join query_table(segments) as assigned
        on numbers_found.customer_id = assigned.customer_id
    where segment is not null
),
customers_listed as materialized (
    select list({'numbers': numbers, 'segment': try_cast(segment as bigint)})
        as customers,
    from customers_found
    having
        custseg.require(count(*) > 0,
            'segments must hold customers of the features, got {} of them [no-rows]',
            count(*))
        and custseg.require(count(*) = count(distinct customer_id),
            'features and segments must hold each customer once, got {} rows too many '
            || '[repeated-rows]',
            count(*) - count(distinct customer_id))
        and custseg.require(bool_and(is_whole),
            'segments must be whole numbers, got {} [value]',
            max(segment) filter (not is_whole))
)
select
    customers,
    list_transform(steps, lambda step: {
        'name': step.name,
        'department': step.department,
        'type': map_extract_value(types, step.name),
        'in_words': map_extract_value(words, step.name)
    }) as columns,
    max_depth::bigint as max_depth,
from customers_listed
cross join custseg_steps
cross join custseg_column_types
cross join (
    select map_from_entries(list((feature, in_words) order by feature asc)) as words
    from custseg.feature_words()
);
