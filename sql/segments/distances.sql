-- distances(model, features): Euclidean distances from a vector to every segment's
--      centre.
-- in:  model STRUCT, features DOUBLE[] in the model's order and scale
-- out: DOUBLE[], one per segment; NULL for NULL features, an error for values that are
--      not finite
create or replace macro custseg.distances(model, features) as
-- features[:] and components[:] are lists of their own: below what a CASE gives, or
-- beside a damaged model, there may be NULLs, and list_distance looks there too
list_transform(
    case when features is not null then coalesce(
        nullif(model.components[:], []),
        error('model must be a fitted model, got NULL or no segments [null-value]')
    ) end,
    lambda component: case
        when isfinite(list_distance(component.center, features[:]))
            then list_distance(component.center, features[:])
        else error(
            'features must be finite numbers and model a fitted model, got '
            || features::varchar || ' [not-finite]'
        )
    end
);
