-- feature_values(features): the features of every customer as lists, numbers and texts
--      apart.
-- in:  features: any relation with customer_id
-- out: customer_id, number_names STRUCT(feature, department, is_boolean)[] (the numeric
--      columns, then the departments of department_share), numbers DOUBLE[] (NULL where
--      unknown; 0 of a department that others buy from), text_names VARCHAR[] (texts
--      and, of any type, segment), texts VARCHAR[]. customer_id and run_name are no
--      features
create or replace macro custseg.feature_values(features) as table
with rows_read as not materialized (
    select
        customer_id as custseg_id,
        columns(lambda custseg_column:
            lower(custseg_column) not in ('customer_id', 'run_name')),
    from (
        select null::map(varchar, double) as department_share, null as segment
        where false
        union all by name
        from query_table(features)
    )
),
column_types as (
    select try_cast(custseg_types as map(varchar, varchar)) as types
    from (
        select typeof(columns(* exclude (custseg_id, department_share)))
        from rows_read
        limit 1
    ) as custseg_types
),
names_found as materialized (
    select
        types,
        map_keys(types) as all_names,
        list_filter(
            all_names,
            lambda custseg_name:
                custseg.is_numeric(map_extract_value(types, custseg_name))
        ) as numeric_names,
        list_filter(
            all_names,
            lambda custseg_name: regexp_matches(
                map_extract_value(types, custseg_name), '^(VARCHAR|ENUM\(.*\))$'
            ) and lower(custseg_name) <> 'segment'
        ) as texts_named,
        list_transform(
            numeric_names, lambda custseg_name: list_position(all_names, custseg_name)
        ) as numeric_places,
        list_transform(
            texts_named, lambda custseg_name: list_position(all_names, custseg_name)
        ) as text_places,
        (
            select coalesce(list(distinct department order by department asc), [])
            from (
                select unnest(map_keys(department_share)) as department
                from rows_read
            )
        ) as departments,
    from column_types
)
select
    custseg_id as customer_id,
    list_concat(
        list_transform(numeric_names, lambda custseg_name: {
            'feature': custseg_name,
            'department': null::varchar,
            'is_boolean': map_extract_value(types, custseg_name) = 'BOOLEAN'
        }),
        list_transform(departments, lambda custseg_name: {
            'feature': 'department_share',
            'department': custseg_name,
            'is_boolean': false
        })
    ) as number_names,
    list_concat(
        list_select(all_numbers, numeric_places),
        list_transform(departments, lambda custseg_name: case
            when department_share is not null
                then coalesce(map_extract_value(department_share, custseg_name), 0)
        end)
    ) as numbers,
    list_append(texts_named, 'segment') as text_names,
    list_append(list_select(all_texts, text_places), segment::varchar) as texts,
from (
    select
        custseg_id,
        department_share,
        segment,
        list_value(*columns(
            lambda custseg_column: starts_with(custseg_column, 'number of ')
        )) as all_numbers,
        list_value(*columns(
            lambda custseg_column: starts_with(custseg_column, 'text of ')
        )) as all_texts,
    from (
        select
            custseg_id,
            department_share,
            segment,
            custseg.to_number(
                columns(* exclude (custseg_id, department_share))
            ) as 'number of \0',
            custseg.to_text(
                columns(* exclude (custseg_id, department_share))
            ) as 'text of \0',
        from rows_read
    )
)
cross join names_found;
