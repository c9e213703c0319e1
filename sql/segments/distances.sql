-- distances(model, features): Euclidean distances from a vector to every segment's
--      centre.
-- in:  model STRUCT, features DOUBLE[] in the model's order and scale
-- out: DOUBLE[], one per segment; NULL for NULL features
create or replace macro custseg.distances(model, features) as
list_transform(
    case when features is not null then model.components end,
    lambda component: list_distance(component.center, features)
);
