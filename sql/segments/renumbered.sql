-- renumbered(model, matches): a model with its segments in the order of those that they
--      go on from, new ones last.
-- in:  model STRUCT; matches as match_segments gives them
-- out: the model STRUCT
create or replace macro custseg.renumbered(model, matches) as
struct_update(model, components := list_transform(
    list_sort(
        list_transform(matches, lambda custseg_match_found: {
            'is_new': custseg_match_found.previous_segment is null,
            'place': coalesce(
                custseg_match_found.previous_segment, custseg_match_found.segment
            ),
            'segment': custseg_match_found.segment
        }),
        'asc'
    ),
    lambda custseg_place_found: model.components[custseg_place_found.segment + 1]
));
