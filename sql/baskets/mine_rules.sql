-- mine_rules(lines, min_support, min_count, max_length, item, ...): rules straight
--      from order lines. With required items only what is bought with
--      them is counted: that takes a fraction of the time.
-- in:  as frequent_itemsets and association_rules take them
-- out: as association_rules
create or replace macro custseg.mine_rules(
    lines, min_support := 0.01, min_count := null, max_length := 3,
    item := 'product_id', min_confidence := 0.1, max_antecedents := null,
    max_consequents := 1, min_antecedents := 1, min_consequents := 1,
    require_antecedents := null, forbid_antecedents := null,
    require_consequents := null, forbid_consequents := null, top := null,
    measure := 'lift', max_pairs := 10_000_000_000, max_candidates := 10_000_000,
    on_limit := 'error'
) as table
with custseg_itemsets as materialized (
    from custseg.frequent_itemsets(
        lines,
        min_support := min_support,
        min_count := min_count,
        -- both sides together
        max_length := case
            when max_antecedents + max_consequents < coalesce(max_length, 64)
                then max_antecedents + max_consequents
            else max_length
        end,
        item := item,
        max_pairs := max_pairs,
        max_candidates := max_candidates,
        on_limit := on_limit,
        containing := coalesce(
            require_consequents::varchar[], require_antecedents::varchar[]
        )
    )
)
from custseg.association_rules(
    'custseg_itemsets',
    min_confidence := min_confidence,
    max_antecedents := max_antecedents,
    max_consequents := max_consequents,
    min_antecedents := min_antecedents,
    min_consequents := min_consequents,
    require_antecedents := require_antecedents,
    forbid_antecedents := forbid_antecedents,
    require_consequents := require_consequents,
    forbid_consequents := forbid_consequents,
    top := top,
    measure := measure
);
