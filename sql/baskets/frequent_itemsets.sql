-- frequent_itemsets(lines, min_support, min_count, max_length, item, ...): what is
--      bought together, exactly counted.
-- in:  lines as purchases takes them; min_support (0, 1] (share of orders) or min_count
--      >= 1 (orders); max_length >= 1 or NULL (no limit); item: the name of the column
--      to mine; max_pairs, max_candidates >= 1: the most pairs in all orders, and sets
--      of one length, to count; on_limit: beyond max_candidates an 'error', or
--      'truncate': the shorter sets alone; containing: a list of items: only sets that
--      hold one of them, and the parts of these sets
-- out: itemset_id (1 is the shortest, then most frequent), items (sorted list of item
--      ids), item_names (NULL where unknown), length, support (0 to 1), support_count
--      (orders), is_closed (no longer set has the same orders), is_maximal (no longer
--      set is frequent; both NULL for sets whose supersets were not counted); the same
--      in every row: n_orders, n_items (frequent ones, whatever is to be contained),
--      representativity (share of the orders without an unknown item), is_truncated
--      (longer sets were left uncounted)
-- source: Eclat: Zaki (2000), IEEE TKDE 12(3). The orders of a set are a bitmap. Two
--      sets that differ in their last item make one with both: its orders are the AND
--      of their bitmaps, its count the number of common bits. Items go from rare to
--      frequent, and the bits of a bitmap are the orders of its first item alone: so it
--      is short. Pairs are counted without, by joining what an order holds to itself;
--      a pair gets its bitmap only if it may be part of a frequent triple. Where orders
--      hold many of few items (dense), bitmaps of single items over all orders do it
--      all: there the first item is 0, which is in every order
create or replace macro custseg.frequent_itemsets(
    lines, min_support := 0.01, min_count := null, max_length := 3,
    item := 'product_id', max_pairs := 10_000_000_000, max_candidates := 10_000_000,
    on_limit := 'error', containing := null
) as table
with custseg_purchased_items as not materialized (
    from custseg.purchased_items(lines, item := item)
),
custseg_item_names as materialized (
    from custseg.item_names(lines, item := item)
),
custseg_item_lines as materialized (
    from custseg.item_lines(lines, item := item)
),
-- 1. items that are in enough lines, by rank, and which orders hold them
custseg_limits as materialized (
    from custseg.mining_limits(
        'custseg_purchased_items', min_support := min_support, min_count := min_count,
        max_length := max_length
    )
),
custseg_items as materialized (
    from custseg.mined_items(
        'custseg_purchased_items', 'custseg_limits', containing := containing
    )
),
custseg_rows as materialized (
    from custseg.mined_rows(
        'custseg_purchased_items', 'custseg_limits', 'custseg_items'
    )
),
-- 2. sparse or dense?
custseg_plan as materialized (
    from custseg.itemset_plan_of_rows(
        'custseg_rows', 'custseg_limits', 'custseg_item_lines', max_pairs := max_pairs
    )
),
-- 3. pairs; their sum shows whether an order holds an item twice
custseg_pairs as materialized (
    from custseg.pair_counts('custseg_rows', 'custseg_plan')
),
custseg_exact_rows as not materialized (
    from custseg.exact_rows('custseg_plan', 'custseg_rows', 'custseg_pairs')
),
custseg_frequent_pairs as materialized (
    from custseg.frequent_pairs(
        'custseg_plan', 'custseg_items', 'custseg_exact_rows', 'custseg_pairs'
    )
),
-- 4. triples that may be frequent, and the bitmaps of their pairs
custseg_candidates as materialized (
    from custseg.candidate_sets(
        'custseg_plan', 'custseg_items', 'custseg_frequent_pairs',
        max_candidates := max_candidates, on_limit := on_limit
    )
),
custseg_projected_pairs as materialized (
    from custseg.projected_pairs('custseg_plan', 'custseg_items', 'custseg_candidates')
),
custseg_projected_rows as materialized (
    from custseg.projected_rows('custseg_projected_pairs', 'custseg_exact_rows')
),
custseg_numbered_orders as materialized (
    from custseg.numbered_orders('custseg_projected_pairs', 'custseg_projected_rows')
),
custseg_blocks as materialized (
    from custseg.pair_blocks(
        'custseg_projected_pairs', 'custseg_projected_rows', 'custseg_numbered_orders'
    )
),
-- 5. those that are frequent, and all that grow from them
custseg_frequent_candidates as materialized (
    from custseg.frequent_candidates(
        'custseg_plan', 'custseg_candidates', 'custseg_blocks'
    )
),
custseg_grown_sets as materialized (
    from custseg.grown_sets(
        'custseg_plan', 'custseg_frequent_candidates', 'custseg_blocks',
        max_candidates := max_candidates, on_limit := on_limit
    )
),
-- 6. all of them, by their names
custseg_sets as materialized (
    from custseg.found_sets(
        'custseg_plan', 'custseg_exact_rows', 'custseg_frequent_pairs',
        'custseg_candidates', 'custseg_frequent_candidates', 'custseg_grown_sets'
    )
)
from custseg.named_itemsets(
    'custseg_sets', 'custseg_plan', 'custseg_items', 'custseg_item_names'
);
