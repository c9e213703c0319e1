-- distances(model, features): Euclidean distances from a vector to every segment's
--      centre.
-- in:  model STRUCT, features DOUBLE[] in the model's order and scale
-- out: DOUBLE[], one per segment; NULL for NULL features
create or replace macro custseg.distances(model, features) as
list_transform(
    if(features is null, null, model.components),
    lambda component: list_distance(component.center, features)
);
