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
        (row_number() over (order by item_id asc))::integer as place,
    from query_table(ranked_items)
    left join query_table(known_names) using (item_id)
),
dictionary as materialized (
    select
        list(place order by rank asc) as place_by_rank,
        list(item_id order by place asc) as item_ids,
        list(item_name order by place asc) as item_names,
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
    from query_table(sets)
    cross join dictionary
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
            from placed_sets
            where len(places) >= 2
        )
    )
    group by places
),
described_sets as (
    select
        placed_sets.*,
        len(placed_sets.places) as length,
        most_orders,
        -- longer ones were not counted
        len(placed_sets.places) >= case
            when is_truncated then (select max(len(places)) from placed_sets)
            else plan.longest
        end as is_open,
        plan.n_orders as n_all_orders,
    from placed_sets
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
        when most_orders is not null then most_orders < n_orders
        when not is_open then true
    end as is_closed,
    case
        when most_orders is not null then false
        when not is_open then true
    end as is_maximal,
    is_truncated,
from described_sets;
