-- log_densities(model, features): the log of each component's weight times its density
--      at a vector.
-- in:  model STRUCT of a mixture, features DOUBLE[] in the model's order and scale
-- out: DOUBLE[], one per segment; NULL for NULL features, an error on K-Means and for
--      values that are not finite
create or replace macro custseg.log_densities(model, features) as
-- features[:] is a list of its own: what a CASE gives may hold NULLs below where it is
-- NULL, and list_distance looks there too
list_transform(
    [list_transform(
        case when features is not null then coalesce(
            model.components,
            error('model must be a fitted model, got NULL [null-value]')
        ) end,
        lambda component: case
            when component.precision_rows is null
                then error('model must be a mixture, got K-Means [model-kind]')
            else component.log_offset - 0.5 * pow(list_distance(
                list_transform(
                    component.precision_rows,
                    lambda axis: list_dot_product(axis, features[:])
                ),
                component.shift
            ), 2)
        end
    )],
    lambda log_densities: list_transform(
        log_densities,
        lambda log_density: case
            when isfinite(log_density) then log_density
            else error(
                'features must be finite numbers and model a fitted model, got '
                || features::varchar || ' [not-finite]'
            )
        end
    )
)[1];
