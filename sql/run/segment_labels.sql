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
    case
        when labels_before.label is not null
            and ($continues or matches.is_clear)
            and ($continues or labels_before.label is distinct from
                labels_before.suggested_label)
            then labels_before.label
        else suggested.label
    end as label,
    suggested.label as suggested_label
)
from custseg.suggested_labels('temp.main.custseg_run_centroids') as suggested
left join custseg_run_segment_matches as matches
    on suggested.segment = matches.segment
left join labels_before
    on matches.previous_segment = labels_before.segment
order by suggested.segment asc;
