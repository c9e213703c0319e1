MODEL (
    name reports.segment_revenue,
    kind FULL,
    grain label,
    audits (unique_values(columns := (label)), not_null(columns := (label)))
);

-- What each segment brings in, by its name: from the tables of a run.
select
    labelled_segments.label,
    count(*)::bigint as customers,
    sum(customer_features.monetary)::double as revenue
from custseg.labelled_segments
inner join custseg.customer_features
    on labelled_segments.run_name = customer_features.run_name
        and labelled_segments.customer_id = customer_features.customer_id
where labelled_segments.run_name = 'default'
group by labelled_segments.label
