-- log_densities(model, features): the log of each component's weight times its density
--      at a vector.
-- in:  model STRUCT of a mixture, features DOUBLE[] in the model's order and scale
-- out: DOUBLE[], one per segment; NULL for NULL features, an error on K-Means and for
--      values that are not finite
create or replace macro custseg.log_densities(model, features) as
list_transform(
    [custseg.component_densities(model, features)],
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
