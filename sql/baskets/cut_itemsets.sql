-- cut_itemsets(keyed_itemsets, max_consequents): every way to cut an itemset in two.
-- in:  keyed_itemsets as the macro gives them; max_consequents >= 1 or NULL (no limit)
-- out: set_key, support_count; antecedent_key, antecedent_place, antecedent_count and
--      n_antecedents of the one part, and the same of the other; n_orders
create or replace macro custseg.cut_itemsets(keyed_itemsets, max_consequents) as table
with sets as not materialized (
    from query_table(keyed_itemsets)
),
-- the keys of all subsets, in the order of a number whose bits say which items are in
cuts as (
    select
        set_key,
        support_count,
        unnest(case
            when max_consequents = 1 then item_keys
            else list_filter(
                list_reduce(
                    list_transform(item_keys, lambda key: [key]),
                    lambda keys, next: list_concat(
                        keys,
                        next,
                        list_transform(keys, lambda key: xor(key, next[1]))
                    )
                ),
                lambda key, bits: bit_count(bits)
                    between 1 and least(max_consequents, length - 1)
            )
        end) as consequent_key,
    from sets
    where length >= 2
)
select
    cuts.set_key,
    cuts.support_count,
    antecedent.set_key as antecedent_key,
    antecedent.place as antecedent_place,
    antecedent.support_count as antecedent_count,
    antecedent.length as n_antecedents,
    consequent.set_key as consequent_key,
    consequent.place as consequent_place,
    consequent.support_count as consequent_count,
    consequent.length as n_consequents,
    antecedent.n_orders,
from cuts
inner join sets as antecedent
    on xor(cuts.set_key, cuts.consequent_key) = antecedent.set_key
inner join sets as consequent
    on cuts.consequent_key = consequent.set_key;
