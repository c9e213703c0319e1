-- segment_preferences(lines, segments, n, item): what each segment buys the most, what
--      it prefers, and when it comes.
-- in:  lines as order_lines takes them; segments(customer_id, segment); n: how many of
--      each kind; item: the column whose values are the items
-- out: as preferences_of_counts, of kinds 'item', 'department', 'category', 'weekday'
--      and 'daypart'; and name (of an item, where known)
create or replace macro custseg.segment_preferences(
    lines, segments, n := 20, item := 'product_id'
) as table
with custseg_counts as (
    from custseg.preference_counts(lines)
    union all
    select customer_id, 'item', item_id::varchar, count(*)
    from custseg.customer_purchases(lines, item := item)
    group by customer_id, item_id
)
select preferences.*, names.item_name as name
from custseg.preferences_of_counts('custseg_counts', segments, n := n) as preferences
left join custseg.item_names(lines, item := item) as names
    on preferences.kind = 'item' and preferences.value = names.item_id::varchar
order by segment asc, kind asc, share_rank asc;
