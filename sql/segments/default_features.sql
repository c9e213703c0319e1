-- default_features(): what a shop's customers are clustered by, unless told otherwise:
--      recency, average purchase frequency, spend, basket size, product diversity;
--      department preferences come beside them
-- in:  nothing
-- out: VARCHAR[], columns of customer_features
create or replace macro custseg.default_features() as
[
    'recency_days', 'orders_per_30d', 'frequency', 'monetary',
    'mean_basket_size', 'effective_n', 'reorder_share'
];
