-- component_densities(model, features): log_densities, whatever comes of them.
-- in:  see log_densities
-- out: DOUBLE[], one per segment, perhaps infinite or NaN; NULL for NULL features, an
--      error without a model and on K-Means
create or replace macro custseg.component_densities(model, features) as
-- features[:] and components[:] are lists of their own: below what a CASE gives, or
-- beside a damaged model, there may be NULLs, and list_dot_product looks there too
list_transform(
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
);
