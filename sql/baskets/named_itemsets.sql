-- named_itemsets(sets, plan, ranked_items, known_names): itemsets with the ids and the
--      names of their items, and whether there are longer ones.
-- in:  sets, plan and ranked_items as found_sets, itemset_plan_of_rows and
--      mined_items give them; known_names(item_id, item_name)
-- out: as frequent_itemsets
create or replace macro custseg.named_itemsets(
    sets, plan, ranked_items, known_names
) as table
-- places: items by id, from 1. Ids of one set are sorted as their places are, and lists
-- of small numbers are quicker to sort and to compare
with placed_items as materialized (
    select
        rank,
        item_id,
        item_name,
        is_asked_for,
        n_frequent_items,
        (row_number() over (order by item_id asc))::integer as place,
    from query_table(ranked_items)
    left join query_table(known_names) using (item_id)
),
dictionary as materialized (
    select
        list(place order by rank asc) as place_by_rank,
        list(item_id order by place asc) as item_ids,
        list(item_name order by place asc) as item_names,
        list(place order by place asc) filter (is_asked_for) as asked_places,
        bool_or(is_asked_for is not null) as is_asked,
        count(*) < max(n_frequent_items) as is_part,
        max(n_frequent_items) as n_frequent_items,
    from placed_items
),
-- the dictionary is a long row: it goes no further
placed_sets as materialized (
    select
        list_sort(list_select(place_by_rank, ranks), 'asc') as places,
        n_orders,
        is_truncated,
        list_select(dictionary.item_ids, places) as items,
        list_select(dictionary.item_names, places) as item_names,
        -- of the items to be contained
        case when is_asked then coalesce(
            len(list_intersect(places, asked_places)), 0
        ) end as n_asked,
        case when n_asked = 1 then list_filter(
            places, lambda place: not list_contains(asked_places, place)
        ) end as other_places,
    from query_table(sets)
    cross join dictionary
),
asked_sets as (
    select *
    from placed_sets
    where
        coalesce(n_asked, 1) > 0
        or places in (select other_places from placed_sets where n_asked = 1)
),
-- the most frequent of the sets with one more item, for each set
supersets as (
    select places, max(n_orders) as most_orders
    from (
        select
            list_concat(places[:left_out - 1], places[left_out + 1:]) as places,
            n_orders,
        from (
            select places, n_orders, unnest(range(1, len(places) + 1)) as left_out
            from asked_sets
            where len(places) >= 2
        )
    )
    group by places
),
described_sets as (
    select
        asked_sets.*,
        len(asked_sets.places) as length,
        most_orders,
        -- longer ones were not counted, or not all
        coalesce(n_asked = 0, false) or len(asked_sets.places) >= case
            when is_truncated then (select max(len(places)) from asked_sets)
            else plan.longest
        end as is_open,
        plan.n_orders as n_all_orders,
        plan.n_incomplete_orders,
    from asked_sets
    left join supersets using (places)
    cross join query_table(plan) as plan
)
select
    row_number() over (order by length asc, n_orders desc, places asc) as itemset_id,
    items,
    item_names,
    length,
    n_orders / n_all_orders as support,
    n_orders as support_count,
    case
        when most_orders = n_orders then false
        when not is_open then true
    end as is_closed,
    case
        when most_orders is not null then false
        when not is_open then true
    end as is_maximal,
    n_all_orders as n_orders,
    coalesce(
        (select n_frequent_items from dictionary where is_part),
        -- as a window it takes the square of the time
        (select count(*) from placed_sets where len(places) = 1)
    ) as n_items,
    1 - n_incomplete_orders / n_all_orders as representativity,
    is_truncated,
from described_sets;
