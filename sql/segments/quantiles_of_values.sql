-- quantiles_of_values(position_values): exact quantiles of each group, in memory that
--      does not grow with the rows: a histogram by magnitude says which bins hold the
--      ranks that count; only their values are counted one by one.
-- in:  position_values(position BIGINT >= 1, value DOUBLE)
-- out: position, quantiles [at 0.01, 0.5, 0.99] as quantile_cont gives them, unit (the
--      median of abs(value) where it is not 0; NULL if all are 0), lowest, highest; no
--      row for a position without values
create or replace macro custseg.quantiles_of_values(position_values) as table
with binned_values as not materialized (
    select position, value, custseg.magnitude(value) as bin
    from query_table(position_values)
    where value is not null
),
bins as materialized (
    select position, bin, count(*) as n, min(value) as lowest, max(value) as highest
    from binned_values
    group by position, bin
),
-- kind 'value' in the order of the values, 'size' in that of their absolute values
kinds_of_bins as (
    select 'value' as kind, position, bin, n
    from bins
    union all
    select 'size', position, abs(bin), sum(n)
    from bins
    where bin <> 0
    group by all
),
bins_in_order as (
    select
        *,
        coalesce(sum(n) over (
            partition by kind, position order by bin asc
            rows between unbounded preceding and 1 preceding
        ), 0) as n_before,
        sum(n) over (partition by kind, position) as n_all,
    from kinds_of_bins
),
wanted as materialized (
    select kind, position, share, bin, n_before, (n_all - 1) * share as place
    from bins_in_order
    cross join (select unnest([0.01, 0.5, 0.99]) as share)
    where
        (kind = 'value' or share = 0.5)
        and n_before <= ceil((n_all - 1) * share)
        and n_before + n > floor((n_all - 1) * share)
),
counted as materialized (
    select position, bin, value, count(*) as n
    from binned_values
    cross join (
        select list(sizes order by position asc) as sizes_wanted
        from (
            select position, list(distinct abs(bin)) as sizes
            from (
                select unnest(range(1, max(position) + 1)) as position
                from wanted
            )
            left join wanted using (position)
            group by position
        )
    )
    where list_contains(sizes_wanted[position], abs(bin))
    group by position, bin, value
),
ranked as (
    select
        kind,
        position,
        share,
        place,
        value,
        n_before + coalesce(sum(n) over (
            partition by kind, position, share, bin order by value asc
            rows between unbounded preceding and 1 preceding
        ), 0) as first_place,
        first_place + n - 1 as last_place,
    from (
        select kind, wanted.position, share, place, wanted.bin, n_before, value, n
        from wanted
        inner join counted
            on wanted.kind = 'value'
            and wanted.position = counted.position
            and wanted.bin = counted.bin
        union all
        select
            kind, wanted.position, share, place, wanted.bin, n_before, abs(value),
            sum(n),
        from wanted
        inner join counted
            on wanted.kind = 'size'
            and wanted.position = counted.position
            and wanted.bin = abs(counted.bin)
        group by all
    )
),
found as (
    select
        kind,
        position,
        share,
        min(value) filter (last_place >= floor(place)) as below,
        min(value) filter (last_place >= ceil(place)) as above,
        any_value(place) - floor(any_value(place)) as fraction,
        below + (above - below) * fraction as quantile,
    from ranked
    group by kind, position, share
)
select
    position,
    list(quantile order by share asc) filter (kind = 'value') as quantiles,
    any_value(quantile) filter (kind = 'size') as unit,
    any_value(lowest_of_all) as lowest,
    any_value(highest_of_all) as highest,
from found
inner join (
    select position, min(lowest) as lowest_of_all, max(highest) as highest_of_all
    from bins
    group by position
) using (position)
group by position;
