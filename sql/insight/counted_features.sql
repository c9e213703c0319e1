-- counted_features(features, bins): how many customers are in which bin of each
--      feature.
-- in:  features: any relation with customer_id; bins(feature, department, edges
--      DOUBLE[] ascending), of numbers: a bin holds what is above one edge and up to
--      the next. Numbers without edges are left out. Optionally categories
--      VARCHAR[]: of features that have some, all values are counted, however many
-- out: feature, department (NULL but for department_share), kind ('number', or
--      'category' for texts and segment), edges, categories VARCHAR[], counts
--      BIGINT[] (per bin or category; of more than 50 categories NULL), n_values,
--      n_nulls
create or replace macro custseg.counted_features(features, bins) as table
with custseg_values_read as not materialized (
    from custseg.feature_values(features)
),
custseg_bins as materialized (
    select feature, department, edges, categories
    from (
        from query_table(bins)
        union all by name
        select null::varchar[] as categories
        where false
    )
),
totals as materialized (
    select
        count(*) as n_customers,
        any_value(number_names) as names,
        any_value(text_names) as text_names,
    from custseg_values_read
),
bins_by_place as materialized (
    select place, feature, department, edges
    from custseg_bins
    inner join (
        select
            unnest(names) as name,
            generate_subscripts(names, 1) as place,
        from totals
    )
        on custseg_bins.feature = name.feature
            and custseg_bins.department is not distinct from name.department
    where edges is not null
),
number_counts as (
    select place, any_value(edges) as edges, histogram(value, edges) as bin_counts
    from (
        select unnest(numbers) as value, generate_subscripts(numbers, 1) as place
        from custseg_values_read
    )
    inner join bins_by_place using (place)
    where value is not null
    group by place
    having custseg.require(greatest(abs(min(value)), abs(max(value))) <= 1e100,
        'features must be finite and within 1e100, got ' || any_value(feature)
        || ' from {} to '
        || max(value) || ' [not-finite]', min(value))
),
number_rows as (
    select
        feature,
        department,
        'number' as kind,
        bins_by_place.edges,
        null::varchar[] as categories,
        list_transform(
            list_append(bins_by_place.edges, 'inf'::double),
            lambda custseg_edge:
                coalesce(map_extract_value(bin_counts, custseg_edge), 0)::bigint
        ) as counts,
        list_sum(counts)::bigint as n_values,
    from bins_by_place
    left join number_counts using (place)
),
text_counts as (
    select place, value, count(*) as n_customers
    from (
        select unnest(texts) as value, generate_subscripts(texts, 1) as place
        from custseg_values_read
    )
    where value is not null
    group by place, value
),
text_rows as (
    select
        text_names[place] as feature,
        null as department,
        'category' as kind,
        null as edges,
        case
            when count(value) <= 50 or is_known
                then coalesce(
                    list(value order by value asc) filter (value is not null), []
                )
        end as categories,
        case
            when count(value) <= 50 or is_known
                then coalesce(
                    list(n_customers order by value asc) filter (value is not null), []
                )
        end as counts,
        coalesce(sum(n_customers), 0)::bigint as n_values,
    from (
        select
            text_names,
            place,
            text_names[place] in (
                select feature from custseg_bins where categories is not null
            ) as is_known,
        from (
            select text_names, unnest(range(1, len(text_names) + 1)) as place
            from totals
        )
    )
    left join text_counts using (place)
    group by place, text_names, is_known
    -- a relation without segment has one that is NULL
    having coalesce(sum(n_customers), 0) > 0 or lower(text_names[place]) <> 'segment'
)
select *, n_customers - n_values as n_nulls
from (from number_rows union all by name from text_rows)
cross join (select n_customers from totals);
