-- match_segments(model, previous): which segment is which of an earlier model: the
--      pairs of centres that are the least distance apart, added up.
-- in:  model and previous STRUCT, fitted on the same features or some of the same
-- out: LIST of STRUCT(segment, previous_segment (NULL: a new one), distance (between
--      the centres, on the model's scale), is_clear (neither has a nearer one)), one
--      per segment of model; NULL for NULL. Needs the UDFs of custseg_duck.load
-- source: Kuhn (1955), the assignment problem
create or replace macro custseg.match_segments(model, previous) as
system.main.custseg_match(model, previous);
