-- Which segment is which of the run before: one row per segment. Its columns are those
--      of match_segments.
create temp table custseg_run_segment_matches as
select $run_name as run_name, unnest(
    $matches::struct(
        segment integer, previous_segment integer, distance double, is_clear boolean
    )[],
    recursive := true
);
