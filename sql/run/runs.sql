-- The run itself: what, on what, with which options and versions, and what became of
--      the lines.
create temp table custseg_run_runs as
with dated_features as (
    select null::timestamp as first_order, null::timestamp as last_order where false
    union all by name
    from custseg_run_customer_features
)
select
    $run_id::bigint as run_id,
    $run_name as run_name,
    $created_at::timestamp as created_at,
    $source as source,
    $inputs::map(varchar, varchar) as inputs,
    $options::map(varchar, varchar) as options,
    $versions::map(varchar, varchar) as versions,
    $seconds::map(varchar, double) as seconds,
    $fit as fit,
    $previous_run_id::bigint as previous_run_id,
    $model_version::integer as model_version,
    (select fingerprint from custseg_run_fingerprint) as fingerprint,
    (
        select coalesce(sum(n_lines), 0)::bigint from custseg_run_line_report
    ) as n_lines,
    (
        select coalesce(sum(n_lines) filter (is_kept), 0)::bigint
        from custseg_run_line_report
    ) as n_lines_kept,
    (
        select list({
            'is_kept': is_kept, 'reason': reason, 'n_lines': n_lines, 'amount': amount
        } order by is_kept desc, n_lines desc, reason asc)
        from custseg_run_line_report
    ) as line_counts,
    (select count(*) from custseg_run_segments) as n_customers,
    (select min(first_order) from dated_features) as first_order,
    (select max(last_order) from dated_features) as last_order,
    $notes::varchar[] as notes;
