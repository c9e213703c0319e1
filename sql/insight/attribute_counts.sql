-- attribute_counts(segments, attributes, n_bins, max_values): how many customers of
--      each segment have each value, or are in each bin, of the user's own columns.
-- in:  see segment_crosstab
-- out: attribute, value, value_rank, segment, n_customers >= 0: as in segment_crosstab;
--      left_out: NULL, or why the attribute has this row only, without value and
--      segment, of all customers whose value is known
create or replace macro custseg.attribute_counts(
    segments, attributes, n_bins := 5, max_values := 50
) as table
with custseg_values as materialized (
    from custseg.attribute_values(segments, attributes)
    where
        custseg.require(n_bins >= 2 and n_bins = floor(n_bins),
            'n_bins must be a whole number of at least 2, got {} [option]', n_bins)
        and custseg.require(max_values >= 2 and max_values = floor(max_values),
            'max_values must be a whole number of at least 2, got {} [option]',
            max_values)
),
values_in_order as (
    select
        *,
        dense_rank() over in_order as value_number,
        sum(n_customers) over in_order as n_until,
        sum(n_customers) over (partition by attribute, number, text) as n_alike,
    from custseg_values
    where number is not null or text is not null
    window in_order as (partition by attribute order by number asc, text asc)
),
values_counted as (
    select
        *,
        max(value_number) over (partition by attribute) as n_values,
        sum(n_customers) over (partition by attribute) as n_known,
    from values_in_order
),
-- of n_bins bins of one size a value goes to that of the middle one of its customers
binned as materialized (
    select
        attribute,
        text is not null and n_values > max_values as is_left_out,
        case
            when text is not null and n_values > max_values then null
            when number is not null and n_values > 2 * n_bins
                then n_bins::bigint * (2 * n_until - n_alike)::bigint
                    // (2 * n_known)::bigint
            else value_number
        end as bin,
        segment,
        any_value(n_values) as n_values,
        sum(n_customers)::bigint as n_customers,
        min(number) as lowest,
        max(number) as highest,
        min(text) as text,
    from values_counted
    group by all
),
bins as (
    select
        attribute,
        bin,
        min(lowest) as lowest,
        max(highest) as highest,
        min(text) as text,
        row_number() over (partition by attribute order by bin asc) as value_rank,
    from binned
    where not is_left_out
    group by attribute, bin
),
edges as (
    select
        attribute,
        count(distinct custseg.short_number(edge)) = count(distinct edge) as are_short,
    from (select attribute, unnest([lowest, highest]) as edge from bins)
    group by attribute
),
values_named as (
    select
        attribute,
        bin,
        value_rank,
        coalesce(text, concat_ws(
            ' to ',
            case
                when are_short then custseg.short_number(lowest)
                else lowest::varchar
            end,
            case
                when highest = lowest then null
                when are_short then custseg.short_number(highest)
                else highest::varchar
            end
        )) as value,
    from bins
    inner join edges using (attribute)
),
segments_found as (
    select distinct segment from custseg_values
)
select
    values_named.attribute,
    value,
    value_rank,
    segments_found.segment,
    coalesce(n_customers, 0) as n_customers,
    null::varchar as left_out,
from values_named
cross join segments_found
left join binned
    on values_named.attribute = binned.attribute
        and values_named.bin = binned.bin
        and segments_found.segment = binned.segment
union all
select
    attribute,
    null,
    null,
    null,
    sum(n_customers)::bigint,
    format('{} values are more than max_values = {}', any_value(n_values), max_values),
from binned
where is_left_out
group by attribute
union all
select attribute, null, null, null, 0, 'no value is known'
from custseg_values
group by attribute
having count(number) + count(text) = 0;
