-- are_counts(n_orders, n_antecedent, n_consequent, n_both): whether they fit.
-- in:  whole numbers
-- out: true, NULL where one is NULL, or an error
create or replace macro custseg.are_counts(
    n_orders, n_antecedent, n_consequent, n_both
) as
case
    when n_orders::double + n_antecedent + n_consequent + n_both is null then null
    when not (
        n_both between 0 and n_antecedent
        and n_both <= n_consequent
        and n_antecedent <= n_orders
        and n_consequent <= n_orders
        and n_orders < 1e15
    ) then error(
        'counts must be 0 <= n_both <= n_antecedent, n_consequent <= n_orders, got '
        || n_both || ', ' || n_antecedent || ', ' || n_consequent || ' and '
        || n_orders || ' [value]'
    )
    else true
end;
