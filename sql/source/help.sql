-- help(topic): what there is in the schema custseg of the current database, and how to
--      call it.
-- in:  topic: part of a name or of what it does (NULL: all)
-- out: name, kind ('table macro', 'scalar macro', 'table' or 'view'), call VARCHAR,
--      summary, takes, gives, source VARCHAR (NULL where there is nothing to say),
--      is_part (others are made of it); what is not a part first
create or replace macro custseg.help(topic := null) as table
with entries as (
    select distinct
        function_name as name,
        case when function_type = 'table_macro' then 'table macro' else 'scalar macro'
            end as kind,
        -- of a macro that is not ours only what DuckDB knows
        string_split(
            case when starts_with(comment, 'custseg.') then comment
                else 'custseg.' || function_name || '('
                    || array_to_string(parameters, ', ') || ')' || chr(10)
                    || coalesce(comment, '')
            end,
            chr(10)
        ) as lines,
    from duckdb_functions()
    where database_name = current_database() and schema_name = 'custseg'
    union all
    select table_name, 'table', ['custseg.' || table_name, comment]
    from duckdb_tables()
    where database_name = current_database() and schema_name = 'custseg'
    union all
    select view_name, 'view', ['custseg.' || view_name, comment]
    from duckdb_views()
    where database_name = current_database() and schema_name = 'custseg'
),
described as (
    select
        name,
        kind,
        lines[1] as call,
        lines[2] as summary,
        list_transform(
            ['in: ', 'out: ', 'source: '],
            lambda custseg_mark: list_filter(
                lines[3:],
                lambda custseg_line: starts_with(custseg_line, custseg_mark)
            )[1][len(custseg_mark) + 1:]
        ) as parts,
        coalesce(lines[-1] = 'a part that others are made of', false) as is_part,
    from entries
)
select
    name, kind, call, summary, parts[1] as takes, parts[2] as gives, parts[3] as source,
    is_part,
from described
where
    topic is null
    or contains(lower(name || ' ' || coalesce(summary, '')), lower(topic))
order by is_part asc, list_position(
    ['table', 'view', 'table macro', 'scalar macro'], kind
) asc, name asc;
