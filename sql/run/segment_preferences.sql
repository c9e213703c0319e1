-- What each segment buys the most, what it prefers, and when it comes: one row per
--      segment, kind and value. Its columns are those of segment_preferences.
create temp table custseg_run_segment_preferences as
with custseg_counts as (
    from custseg_run_preference_counts
    union all
    select customer_id, 'item', item_id::varchar, count(*)
    from custseg_run_customer_purchases
    group by customer_id, item_id
)
select $run_name as run_name, preferences.*, names.item_name as name
from custseg.preferences_of_counts(
    'custseg_counts', 'temp.main.custseg_run_segments'
) as preferences
left join custseg_run_item_names as names
    on preferences.kind = 'item' and preferences.value = names.item_id::varchar
order by segment asc, kind asc, share_rank asc;
