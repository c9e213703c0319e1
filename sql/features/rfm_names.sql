-- rfm_names(): the usual names for groups of scores from 1 to 5, to be edited in a
--      table.
-- in:  nothing
-- out: priority (of the names that fit, the lowest counts), rfm_segment, r_min, r_max,
--      f_min, f_max, m_min, m_max (of scores, both inclusive; NULL: any, or unknown),
--      description. The last one fits everybody
create or replace macro custseg.rfm_names() as table
select
    priority, rfm_segment,
    r_min, r_max, f_min, f_max,
    null::integer as m_min, null::integer as m_max,
    description,
from (values
    (10, 'champions', 5, 5, 4, 5,
        'bought just now and often: reward them, ask for reviews'),
    (20, 'loyal', 3, 4, 4, 5,
        'buy often: offer more of what they like'),
    (30, 'potential loyalists', 4, 5, 2, 3,
        'recent, with several orders: invite to a loyalty programme'),
    (40, 'new', 5, 5, 1, 1,
        'bought just now, for the first time: make them welcome'),
    (50, 'promising', 4, 4, 1, 1,
        'recent, with few orders: remind them of what else there is'),
    (60, 'need attention', 3, 3, 3, 3,
        'in the middle, and slipping: make a limited offer'),
    (70, 'about to sleep', 3, 3, 1, 2,
        'have not bought for a while, and rarely did: win back soon'),
    (80, 'cannot lose them', 1, 2, 5, 5,
        'bought most often, and stopped: call them'),
    (90, 'at risk', 1, 2, 3, 4,
        'bought often, long ago: send something personal'),
    (100, 'hibernating', 1, 2, 1, 2,
        'few orders, long ago: only cheap channels'),
    (1000, 'other', null, null, null, null,
        'without dates there is no recency: look at spend')
) as known (
    priority, rfm_segment, r_min, r_max, f_min, f_max, description
);
