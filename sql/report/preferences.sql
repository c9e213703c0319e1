-- What each segment of a run prefers: the first few names of each kind.
with named_preferences as (
    select
        segment,
        kind,
        coalesce(name, value) as what,
        preference_index,
        preference_rank,
    from custseg.segment_preferences
    where
        run_name = $run_name
        and preference_rank is not null
        and kind in ('item', 'category', 'department')
    -- several items may be called the same
    qualify row_number() over (
        partition by segment, kind, what
        order by preference_rank asc
    ) = 1
)
select segment, kind, what, preference_index
from named_preferences
qualify row_number() over (
    partition by segment, kind order by preference_rank asc
) <= $n
order by segment asc, kind asc, preference_rank asc;
