-- assign(model, features): the segment of a vector: the nearest centre, or the most
--      probable component.
-- in:  model STRUCT, features DOUBLE[] in the model's order and scale
-- out: INTEGER, 0-based; NULL for NULL features, an error for values that are not
--      finite or too few
create or replace macro custseg.assign(model, features) as
-- features[:] and components[:] are lists of their own: below what a CASE gives, or
-- beside a damaged model, there may be NULLs, and list_distance looks there too
list_transform(
    [list_transform(
        case when features is not null then model.components[:] end,
        lambda component: case
            when component.precision_rows is null
                then -list_distance(component.center, features[:])
            else component.log_offset - 0.5 * pow(list_distance(
                list_transform(
                    component.precision_rows,
                    lambda axis: list_dot_product(axis, features[:])
                ),
                component.shift
            ), 2)
        end
    )],
    lambda scores: case
        when features is null then null
        when isfinite(list_max(scores))
            then (list_position(scores, list_max(scores)) - 1)::integer
        else error(
            'features must be finite numbers and model a fitted model, got '
            || features::varchar || ' [not-finite]'
        )
    end
)[1];
