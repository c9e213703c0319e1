-- rfm_names(n_bins): the names of rfm's labels as a table of rules, to be kept, edited,
--      and used by rfm_segments.
-- in:  n_bins 2 to 9, as in rfm_cut_points
-- out: priority (of the rules that fit the one with the lowest wins), rfm_segment,
--      r_min, r_max, f_min, f_max, m_min, m_max (scores, both included; NULL is any),
--      description (who they are and what to do). The last row is the catch-all
create or replace macro custseg.rfm_names(n_bins := 5) as table
with names_on_the_grid as (
    -- on rfm's 5 x 5 grid of recency and frequency
    from (
        values
            (10, 'champions', 5, 5, 4, 5,
                'Bought just now, and most often: thank them, show them news first'),
            (20, 'loyal', 3, 4, 4, 5,
                'Buy often, and not long ago: reward them, offer what goes with it'),
            (30, 'potential loyalists', 4, 5, 2, 3,
                'Bought lately, not for the first time: help the habit along'),
            (40, 'new', 5, 5, 1, 1,
                'Bought just now, seldom so far: welcome them, help with the next'),
            (50, 'promising', 4, 4, 1, 1,
                'Bought lately, seldom so far: give them a small reason to return'),
            (60, 'need attention', 3, 3, 3, 3,
                'Average in both, may drift away: an offer on what they bought before'),
            (70, 'about to sleep', 3, 3, 1, 2,
                'Bought seldom, and some time ago: remind them before they forget you'),
            (80, 'cannot lose them', 1, 2, 5, 5,
                'Bought most often, but long ago: ask them in person to return'),
            (90, 'at risk', 1, 2, 3, 4,
                'Bought fairly often, but long ago: a personal offer to return'),
            (100, 'hibernating', 1, 2, 1, 2,
                'Bought seldom, and long ago: nothing that costs much'),
            (110, 'other', null, null, null, null,
                'All others, also with unknown scores: look at the data first')
    ) as names_given (
        priority, rfm_segment, r_first, r_last, f_first, f_last, description
    )
    where custseg.require(n_bins in (2, 3, 4, 5, 6, 7, 8, 9),
        'n_bins must be a whole number from 2 to 9, got {} [option]', n_bins)
)
select
    priority,
    rfm_segment,
    -- the scores that ceil(5 * score / n_bins) takes to the field of the grid
    (n_bins * (r_first - 1) // 5 + 1)::integer as r_min,
    (n_bins * r_last // 5)::integer as r_max,
    (n_bins * (f_first - 1) // 5 + 1)::integer as f_min,
    (n_bins * f_last // 5)::integer as f_max,
    null::integer as m_min,
    null::integer as m_max,
    description,
from names_on_the_grid
where coalesce(r_min <= r_max and f_min <= f_max, true)
order by priority asc;
