-- Every customer's segment with what it is called.
create or replace view custseg.labelled_segments as
select segments.*, segment_labels.label
from custseg.segments
left join custseg.segment_labels
    on segments.run_name = segment_labels.run_name
        and segments.segment = segment_labels.segment;
