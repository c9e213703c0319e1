-- log_densities(model, features): the log of each component's weight times its density
--      at a vector.
-- in:  model STRUCT of a mixture, features DOUBLE[] in the model's order and scale
-- out: DOUBLE[], one per segment; NULL for NULL features, an error on K-Means
create or replace macro custseg.log_densities(model, features) as
list_transform(
    case when features is not null then model.components end,
    lambda component: case
        when component.precision_rows is null
            then error('model must be a mixture, which K-Means is not [model-kind]')
        else component.log_offset - 0.5 * pow(list_distance(
            list_transform(
                component.precision_rows, lambda axis: list_dot_product(axis, features)
            ),
            component.shift
        ), 2)
    end
);
