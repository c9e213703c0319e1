-- What the segments are called: to be edited. A refresh keeps what it finds there; what
--      a segment was called at first is in suggested_label.
create table if not exists custseg.segment_labels (
    run_name varchar,
    segment integer,
    label varchar,
    suggested_label varchar
);
