-- The labels of this run's segments: those of the segments that they go on from, or
--      the suggested ones. What people have put into more columns goes with them.
create temp table custseg_run_segment_labels as
with labels_before as (
    from custseg.segment_labels
    where run_name = $run_name
    qualify row_number() over (partition by segment order by label asc) = 1
)
select labels_before.* replace (
    $run_name as run_name,
    suggested.segment as segment,
    coalesce(kept.label, suggested.label) as label,
    coalesce(kept.suggested_label, suggested.label) as suggested_label
)
from custseg.suggested_labels('temp.main.custseg_run_centroids') as suggested
left join custseg_run_segment_matches as matches
    on suggested.segment = matches.segment
left join labels_before
    on matches.previous_segment = labels_before.segment
left join (
    from labels_before
    where $continues or label is distinct from suggested_label
) as kept
    on matches.previous_segment = kept.segment
        and ($continues or matches.is_clear)
order by suggested.segment asc;
