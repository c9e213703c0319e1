-- drift_of_histograms(histograms, features): how far features are from what they were
--      when the histograms were made.
-- in:  histograms as feature_histograms gives them; features: any relation with
--      customer_id
-- out: feature, department, kind, psi (population stability index: the sum over bins of
--      (after - before) * ln(after / before), of shares (count + 0.5) / (n + 0.5 *
--      bins)), level ('stable' below 0.1, 'moderate' below 0.25, else 'large';
--      'missing' or 'new' if there is nothing to compare), psi_by_chance (5% of samples
--      of one distribution are above), is_significant, n_bins (with a value in either),
--      n_before, n_after (customers), null_share_before, null_share_after,
--      shares_before, shares_after DOUBLE[] (per bin, 0 where there is nothing in
--      either; then of categories that were not known, if any; then of NULLs, if any)
-- source: Siddiqi, Credit Risk Scorecards (2006); by chance, Yurdakul & Naranjo (2020)
--      with the quantile of Wilson & Hilferty (1931)
create or replace macro custseg.drift_of_histograms(histograms, features) as table
with custseg_before as materialized (
    from query_table(histograms)
),
custseg_now as materialized (
    from custseg.counted_features(features, 'custseg_before')
),
-- what there is now, in one bin each
custseg_names as materialized (
    select name.feature as feature, name.department as department, []::double[] as edges
    from (
        select unnest(number_names) as name
        from (select number_names from custseg.feature_values(features) limit 1)
    )
    where lower(name.feature) <> 'segment'
),
custseg_fresh as materialized (
    from custseg.counted_features(features, 'custseg_names')
    where counts is not null and n_values > 0
),
custseg_size as materialized (
    select count(*) as n_rows from query_table(features)
),
custseg_shares_now as materialized (
    select max(n_values) as n_with_shares, max(n_nulls) as n_without_shares
    from custseg_fresh
    where department is not null
),
compared as (
    select
        custseg_before.*,
        -- a department nobody buys from now is there: all have 0 of it
        custseg_now.n_values is null
            and custseg_before.department is not null
            and n_with_shares is not null as is_unbought,
        custseg_now.n_values is not null or is_unbought as is_there,
        n_rows,
        case when is_unbought then n_with_shares else custseg_now.n_values end
            as n_values_now,
        case when is_unbought then n_without_shares else custseg_now.n_nulls end
            as n_nulls_now,
        case
            when is_unbought then list_transform(
                range(0, len(custseg_before.counts)),
                lambda custseg_bin: case
                    when custseg_bin = len(list_filter(
                        custseg_before.edges, lambda custseg_edge: custseg_edge < 0
                    )) then n_with_shares
                    else 0
                end
            )
            when custseg_before.kind = 'number' then custseg_now.counts
            else list_transform(
                custseg_before.categories,
                lambda custseg_category: coalesce(custseg_now.counts[
                    list_position(custseg_now.categories, custseg_category)
                ], 0)
            )
        end as counts_now,
    from custseg_before
    left join custseg_now
        on custseg_before.feature = custseg_now.feature
            and custseg_before.department is not distinct from custseg_now.department
            and custseg_before.kind = custseg_now.kind
            and custseg_now.counts is not null
    cross join custseg_size
    cross join custseg_shares_now
),
-- what was not known and what is NULL are bins of their own, where there are any
binned as (
    select
        *,
        n_values_now - list_sum(counts_now) as n_unknown,
        list_concat(
            counts,
            case when n_unknown > 0 then [0] else [] end,
            case when n_nulls + n_nulls_now > 0 then [n_nulls] else [] end
        ) as all_before,
        list_concat(
            counts_now,
            case when n_unknown > 0 then [n_unknown] else [] end,
            case when n_nulls + n_nulls_now > 0 then [n_nulls_now] else [] end
        ) as all_now,
    from compared
),
shares as (
    select
        *,
        -- a bin that is empty in both says nothing
        len(list_filter(
            list_zip(all_before, all_now),
            lambda custseg_pair: custseg_pair[1] + custseg_pair[2] > 0
        )) as n_bins,
        n_values + n_nulls as n_before,
        n_values_now + n_nulls_now as n_after,
        case when is_there then list_transform(
            list_zip(all_before, all_now),
            lambda custseg_pair: case
                when custseg_pair[1] + custseg_pair[2] > 0
                    then (custseg_pair[1] + 0.5::double) / (n_before + 0.5 * n_bins)
                else 0
            end
        ) end as shares_before,
        case when is_there then list_transform(
            list_zip(all_before, all_now),
            lambda custseg_pair: case
                when custseg_pair[1] + custseg_pair[2] > 0
                    then (custseg_pair[2] + 0.5::double) / (n_after + 0.5 * n_bins)
                else 0
            end
        ) end as shares_after,
    from binned
),
indexed as (
    select
        *,
        list_sum(list_transform(
            list_zip(shares_before, shares_after),
            lambda custseg_pair: case
                when custseg_pair[1] > 0
                    then (custseg_pair[2] - custseg_pair[1])
                        * ln(custseg_pair[2] / custseg_pair[1])
                else 0
            end
        )) as psi,
        case
            when n_bins = 1 then 0
            when n_bins > 1 and n_before > 0 and n_after > 0 then (n_bins - 1) * pow(
                1 - 2 / (9.0::double * (n_bins - 1))
                    + 1.6448536269514722 * sqrt(2 / (9.0::double * (n_bins - 1))),
                3
            ) * (1 / n_before::double + 1 / n_after::double)
        end as psi_by_chance,
    from shares
),
all_features as (
    select
        feature,
        department,
        kind,
        case when n_after > 0 then psi end as psi,
        case
            when n_rows = 0 then null
            when not is_there then 'missing'
            when psi < 0.1 then 'stable'
            when psi < 0.25 then 'moderate'
            else 'large'
        end as level,
        case when is_there then psi_by_chance end as psi_by_chance,
        psi > psi_by_chance as is_significant,
        case when is_there then n_bins end as n_bins,
        n_before,
        case when n_rows = 0 then 0 else n_after end as n_after,
        n_nulls / nullif(n_before, 0) as null_share_before,
        n_nulls_now / nullif(n_after, 0) as null_share_after,
        shares_before,
        shares_after,
    from indexed
    union all by name
    select
        feature, department, kind, 'new' as level, n_values + n_nulls as n_after,
        n_nulls / (n_values + n_nulls) as null_share_after,
    from custseg_fresh
    anti join custseg_before
        on custseg_fresh.feature = custseg_before.feature
            and custseg_fresh.department is not distinct from custseg_before.department
)
from all_features
order by psi desc nulls first, feature asc, department asc nulls first;
