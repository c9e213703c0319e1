-- log_densities(model, features): the log of each component's weight times its density
--      at a vector.
-- in:  model STRUCT of a mixture, features DOUBLE[] in the model's order and scale
-- out: DOUBLE[], one per segment; NULL for NULL features, an error on K-Means and for
--      values that are not finite
create or replace macro custseg.log_densities(model, features) as
-- features[:] and components[:] are lists of their own: below what a CASE gives, or
-- beside a damaged model, there may be NULLs, and list_dot_product looks there too
list_transform(
    [list_transform(
        case when features is not null then coalesce(
            nullif(model.components[:], []),
            error('model must be a fitted model, got NULL or no segments [null-value]')
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
