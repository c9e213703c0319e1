-- decision_tree(features, segments, max_depth, include, exclude): a short rule for
--      segments, as SQL that runs anywhere: a small tree that says nearly the same.
-- in:  features: any relation with customer_id and numeric or boolean columns, NULL
--      where unknown, and optionally department_share MAP(VARCHAR, DOUBLE);
--      segments(customer_id, segment: any whole numbers; NULL is left out);
--      max_depth (1 to 10): how many conditions a customer may have to meet; include,
--      exclude: lists of column names, as in feature_transform, and the same default
-- out: one row: case_expression (a CASE over the columns of features, whose value is
--      the segment; of a single segment its number), fidelity (share of the customers
--      on which it agrees), baseline (share of the largest segment: what guessing
--      gives), n_leaves, depth, n_customers, segments: a list of {segment, condition
--      (SQL, true or false: of all segments one is true), description (in English),
--      n_customers (whom the condition selects), precision (share of these that are of
--      the segment; NULL of none), recall (share of the segment that is selected)}. The
--      smallest tree within 0.02 of the best fidelity that max_depth and 2 * segments +
--      2 leaves allow; a segment too small to show in that one has the condition false.
--      Unknown values are taken for a round number close to the median. Needs the UDFs
--      of custseg_duck.load
-- source: Breiman, Friedman, Olshen & Stone (1984)
create or replace macro custseg.decision_tree(
    features, segments, max_depth := 4, include := null, exclude := null
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
select unnest(system.main.custseg_decision_tree(
    customers,
    list_transform(steps, lambda step: {
        'name': step.name,
        'department': step.department,
        'type': map_extract_value(types, step.name),
        'in_words': map_extract_value(words, step.name)
    }),
    max_depth::bigint
))
from customers_listed
cross join custseg_steps
cross join custseg_column_types
cross join (
    select map_from_entries(list((feature, in_words) order by feature asc)) as words
    from custseg.feature_words()
);
