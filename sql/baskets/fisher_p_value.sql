-- fisher_p_value(n_orders, n_antecedent, n_consequent, n_both): how likely at least so
--      many common orders are, if the two sides have nothing to do with each other.
-- in:  counts, 0 <= n_both <= n_antecedent, n_consequent <= n_orders
-- out: P(X >= n_both), X hypergeometric; NULL where a count is NULL
-- source: Fisher's exact test (1934), one-sided. Of the two tails the one that falls:
--      fewer than expected are all but those with more orders without the consequent
create or replace macro custseg.fisher_p_value(
    n_orders, n_antecedent, n_consequent, n_both
) as
list_transform(
    [case
        when custseg.are_counts(n_orders, n_antecedent, n_consequent, n_both) is null
            then null
        when n_both::double * n_orders > n_antecedent::double * n_consequent
        then {'is_more': true, 'c': n_consequent::bigint, 'both': n_both::bigint}
        else {
            'is_more': false,
            'c': n_orders::bigint - n_consequent,
            'both': n_antecedent::bigint - n_both + 1
        }
    end],
    lambda custseg_side: list_transform(
        [custseg.hypergeometric_tail(
            n_orders, n_antecedent, custseg_side.c, custseg_side.both
        ).tail],
        lambda custseg_tail: case
            when custseg_tail is null then null
            when custseg_side.is_more then least(custseg_tail, 1)
            else greatest(1 - custseg_tail, 0)
        end
    )[1]
)[1];
