-- probabilities(model, features): how probably a vector came from each component.
-- in:  model STRUCT of a mixture, features DOUBLE[] in the model's order and scale
-- out: DOUBLE[], one per segment, adding up to 1; NULL for NULL features, an error on
--      K-Means and for values that are not finite
create or replace macro custseg.probabilities(model, features) as
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
    -- by the largest, so that none is too small for exp
    lambda log_densities: list_transform(
        [list_transform(
            log_densities,
            lambda log_density: case
                when log_density is not null and isfinite(list_max(log_densities))
                    then exp(log_density - list_max(log_densities))
                else error('features must be finite numbers, got ' || features::varchar
                    || ' [not-finite]')
            end
        )],
        lambda parts: list_transform(parts, lambda part: part / list_sum(parts))
    )[1]
)[1];
