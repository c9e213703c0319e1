-- feature_edges(features, n_bins): where to cut the values of each numeric feature, so
--      that each bin holds about as many customers.
-- in:  features: any relation with customer_id (of more than 100,000 customers those of
--      the least hashes are taken, so that memory does not grow); n_bins 2 to 100
-- out: feature, department (NULL but for department_share), edges DOUBLE[]: distinct
--      quantiles, ascending, all values of customers; and, where many share the lowest
--      value, the largest number below it. No row for a feature without values
create or replace macro custseg.feature_edges(features, n_bins := 10) as table
with custseg_values_read as not materialized (
    select number_names, numbers from custseg.feature_values(features)
),
custseg_sample as materialized (
    select numbers
    from custseg_values_read
    order by hash(numbers) asc, numbers asc
    limit 100000
),
ranges_found as (
    select place, min(value) as lowest, max(value) as highest
    from (
        select unnest(numbers) as value, generate_subscripts(numbers, 1) as place
        from custseg_values_read
    )
    where value is not null
    group by place
),
quantiles_found as (
    select
        place,
        -- a little less, as 0.07 * 100 is above 7 in DOUBLE
        quantile_disc(value, list_transform(
            range(1, least(coalesce(n_bins, 2), 100)::bigint),
            lambda custseg_i: custseg_i / coalesce(n_bins, 2)::double - 1e-12
        )) as quantiles,
    from (
        select unnest(numbers) as value, generate_subscripts(numbers, 1) as place
        from custseg_sample
    )
    where value is not null
    group by place
)
select
    names[place].feature as feature,
    names[place].department as department,
    -- 0, not the -0 that is equal: which of them comes first depends on the threads
    list_sort(list_distinct(list_transform(
        case when quantiles[1] = lowest
            then list_prepend(nextafter(lowest, '-inf'::double), quantiles)
            else quantiles
        end,
        lambda custseg_edge: case when custseg_edge = 0 then 0 else custseg_edge end
    )), 'asc') as edges,
from quantiles_found
inner join ranges_found using (place)
cross join (select any_value(number_names) as names from custseg_values_read)
where
    lower(names[place].feature) <> 'segment'
    and custseg.require(n_bins between 2 and 100 and n_bins = floor(n_bins),
        'n_bins must be a whole number between 2 and 100, got {} [option]', n_bins)
    and custseg.require(greatest(abs(lowest), abs(highest)) <= 1e100,
        'features must be finite and within 1e100, got ' || names[place].feature
        || ' from {} to '
        || highest || ' [not-finite]', lowest)
order by feature asc, department asc nulls first;
