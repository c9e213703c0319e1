-- hyper_lift(n_orders, n_antecedent, n_consequent, n_both): common orders against the
--      most that chance explains, at 99%: above 1 is more than chance.
-- in:  counts, 0 <= n_both <= n_antecedent, n_consequent <= n_orders
-- out: n_both / q, q the least count with P(X <= q) >= 0.99, X hypergeometric; +inf
--      where q is 0; NULL where a count is NULL
-- source: Hahsler & Hornik (2007), Intelligent Data Analysis 11(5). The quantile from a
--      little above its Cornish-Fisher expansion (1938) down, term by term
create or replace macro custseg.hyper_lift(
    n_orders, n_antecedent, n_consequent, n_both
) as
list_transform(
    [case
        when custseg.are_counts(n_orders, n_antecedent, n_consequent, n_both) is null
            then null
        else {
            'n': n_orders::double,
            'a': n_antecedent::double,
            'c': n_consequent::double,
            'start': least(n_antecedent, n_consequent, 2 + ceil(
                n_antecedent::double * n_consequent / n_orders
                + 2.3263478740408408 * sqrt(
                    n_antecedent::double * n_consequent / n_orders
                    * (n_orders::double - n_antecedent) / n_orders
                    * (n_orders::double - n_consequent) / greatest(n_orders - 1, 1)
                )
                + 0.735 * (n_orders - 2::double * n_antecedent)
                    * (n_orders - 2::double * n_consequent)
                    / greatest(n_orders::double * (n_orders - 2), 1)
            ))::double
        }
    end],
    lambda custseg_counts: list_transform(
        [custseg.hypergeometric_tail(
            custseg_counts.n, custseg_counts.a, custseg_counts.c, custseg_counts.start
        )],
        lambda custseg_first: list_transform(
            [list_reduce(
                list_transform(range(6), lambda custseg_step: {
                    'count': custseg_counts.start,
                    'term': custseg_first.term,
                    'tail': custseg_first.tail
                }),
                lambda custseg_state, custseg_step: case
                    when custseg_state.tail > 0.01 * (1 + 1e-10) then custseg_state
                    else {
                        'count': custseg_state.count - 1,
                        'term': custseg_state.term * custseg_state.count * (
                            custseg_counts.n - custseg_counts.a - custseg_counts.c
                            + custseg_state.count
                        )
                        / (custseg_counts.a - custseg_state.count + 1)
                        / (custseg_counts.c - custseg_state.count + 1),
                        'tail': custseg_state.tail
                            + custseg_state.term * custseg_state.count * (
                                custseg_counts.n - custseg_counts.a - custseg_counts.c
                                + custseg_state.count
                            )
                            / (custseg_counts.a - custseg_state.count + 1)
                            / (custseg_counts.c - custseg_state.count + 1)
                    }
                end
            ).count],
            lambda custseg_quantile: case
                when custseg_counts.n + custseg_counts.a + custseg_counts.c is null
                    then null
                when custseg_quantile <= 0 then 'infinity'::double
                else n_both / custseg_quantile
            end
        )[1]
    )[1]
)[1];
