-- feature_words(): what a high and a low value of each column of customer_features is
--      called.
-- in:  nothing
-- out: feature, concept (features of one concept say much the same), concept_rank (the
--      order in which a sentence has them), high_words, low_words (NULL: not worth a
--      word)
create or replace macro custseg.feature_words() as table
from (values
    ('recency_days', 'recency', 1, 'lapsed', 'recent'),
    ('r_score', 'recency', 1, 'recent', 'lapsed'),
    ('frequency', 'frequency', 2, 'frequent', 'infrequent'),
    ('n_orders', 'frequency', 2, 'frequent', 'infrequent'),
    ('f_score', 'frequency', 2, 'frequent', 'infrequent'),
    ('orders_per_30d', 'frequency', 2, 'frequent', 'infrequent'),
    ('mean_gap_days', 'frequency', 2, 'infrequent', 'frequent'),
    ('median_gap_days', 'frequency', 2, 'infrequent', 'frequent'),
    ('stddev_gap_days', 'regularity', 3, 'irregular', 'regular'),
    ('monetary', 'spend', 4, 'high spend', 'low spend'),
    ('m_score', 'spend', 4, 'high spend', 'low spend'),
    ('mean_order_value', 'order value', 5, 'large orders', 'small orders'),
    ('mean_basket_size', 'basket', 6, 'big baskets', 'small baskets'),
    ('n_products', 'diversity', 7, 'wide choice', 'narrow choice'),
    ('n_departments', 'diversity', 7, 'wide choice', 'narrow choice'),
    ('entropy', 'diversity', 7, 'wide choice', 'narrow choice'),
    ('effective_n', 'diversity', 7, 'wide choice', 'narrow choice'),
    ('hhi', 'diversity', 7, 'narrow choice', 'wide choice'),
    ('reorder_share', 'repetition', 8, 'buys the same again', 'tries new things'),
    ('repeat_share', 'repetition', 8, 'buys the same again', 'tries new things'),
    ('tenure_days', 'tenure', 9, 'long-standing', 'new'),
    ('weekend_share', 'weekday', 10, 'on weekends', 'on working days'),
    ('monday_share', 'weekday', 10, 'on Mondays', null),
    ('tuesday_share', 'weekday', 10, 'on Tuesdays', null),
    ('wednesday_share', 'weekday', 10, 'on Wednesdays', null),
    ('thursday_share', 'weekday', 10, 'on Thursdays', null),
    ('friday_share', 'weekday', 10, 'on Fridays', null),
    ('saturday_share', 'weekday', 10, 'on Saturdays', null),
    ('sunday_share', 'weekday', 10, 'on Sundays', null),
    ('night_share', 'hour', 11, 'at night', null),
    ('morning_share', 'hour', 11, 'in the morning', null),
    ('afternoon_share', 'hour', 11, 'in the afternoon', null),
    ('evening_share', 'hour', 11, 'in the evening', null)
) as words (feature, concept, concept_rank, high_words, low_words);
