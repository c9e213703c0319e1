-- refit(features, model): an aggregate: a model fitted anew from where an earlier one
--      ended, so that each segment stays under its number.
-- in:  features DOUBLE[] in the model's order and scale (as apply_transform gives them
--      by its features); model STRUCT, the same on all rows: its algorithm, k, seed and
--      features hold
-- out: the model STRUCT. Needs the UDFs of custseg_duck.load
create or replace macro custseg.refit(features, model) as
system.main.custseg_refit(list(features), any_value(model));
