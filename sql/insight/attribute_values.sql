-- attribute_values(segments, attributes): the values of the user's own columns, counted
--      in each segment.
-- in:  segments(customer_id, segment of any type); attributes: any relation with
--      customer_id and columns of any type, but for segment and run_name, which are not
--      looked at; customers at most once in each
-- out: attribute, number DOUBLE (of a column of numbers), text (of any other), segment,
--      n_customers >= 1; and for all attributes and segments a row without a value for
--      the customers whose value is not known (NULL or NaN), >= 0 of them
create or replace macro custseg.attribute_values(segments, attributes) as table
with custseg_segments as not materialized (
    select customer_id, segment
    from query_table(segments)
    where segment is not null
),
custseg_attributes as not materialized (
    from query_table(attributes)
),
-- from a row of NULLs, as there may be none
types_found as (
    select try_cast(custseg_types as map(varchar, varchar)) as types
    from (
        select typeof(columns(custseg_attributes.*))
        from (select 1 as one) as one_row
        left join custseg_attributes on false
    ) as custseg_types
),
columns_found as (
    select attribute, type <> 'BOOLEAN' and custseg.is_numeric(type) as is_number
    from (
        select unnest(map_keys(types)) as attribute, unnest(map_values(types)) as type
        from types_found
    )
    where lower(attribute) not in ('customer_id', 'segment', 'run_name')
),
columns_guard as (
    select custseg.require(count(*) > 0,
        'attributes must have a column beside customer_id, got {} [missing-column]',
        'none') as passed
    from columns_found
),
customers_guard as (
    select custseg.require(count(*) = count(distinct custseg_attributes.customer_id),
        'segments and attributes must hold each customer once, got {} rows too many '
        || '[repeated-rows]',
        count(*) - count(distinct custseg_attributes.customer_id)) as passed
    from custseg_segments
    inner join custseg_attributes
        on custseg_segments.customer_id = custseg_attributes.customer_id
),
attributes_found as materialized (
    select attribute, is_number
    from columns_found
    cross join columns_guard
    cross join customers_guard
    where columns_guard.passed and customers_guard.passed
),
texts_found as (
    select
        segment,
        unnest(map_keys(texts)) as attribute,
        unnest(map_values(texts)) as text,
    from (
        select
            custseg_segments.segment,
            cast(custseg_attributes as map(varchar, varchar)) as texts,
        from custseg_segments
        inner join custseg_attributes
            on custseg_segments.customer_id = custseg_attributes.customer_id
    )
),
texts_counted as (
    select attribute, is_number, text, segment, count(*) as n
    from texts_found
    inner join attributes_found using (attribute)
    group by all
    union all
    select attribute, is_number, null, segment, 0
    from attributes_found
    cross join (select distinct segment from custseg_segments)
)
select
    attribute,
    -- 0 for -0, which is equal
    case
        when is_number and not isnan(try_cast(text as double))
            then coalesce(nullif(try_cast(text as double), 0), 0)
    end as number,
    case when not is_number then text end as text,
    segment,
    sum(n)::bigint as n_customers,
from texts_counted
group by all;
