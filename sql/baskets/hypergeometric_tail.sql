-- hypergeometric_tail(n_orders, n_antecedent, n_consequent, n_both): how likely so many
--      common orders are by chance, and so many or more.
-- in:  counts; n_both at least what is expected by chance
--      (n_antecedent * n_consequent / n_orders)
-- out: STRUCT(term DOUBLE, tail DOUBLE): P(X = n_both) and P(X >= n_both), X
--      hypergeometric; 0 where they are below 1e-308; NULL where a count is NULL.
--      Relative error below 1e-8, at thousands below 1e-12
-- source: Loader (2000), Fast and accurate computation of binomial probabilities: the
--      deviance of each cell and the errors of Stirling's formula, which do not cancel
create or replace macro custseg.hypergeometric_tail(
    n_orders, n_antecedent, n_consequent, n_both
) as
-- names of our own: a column of a table called like a lambda's would be taken for it
list_transform(
    [{
        'n': n_orders::double,
        'a': n_antecedent::double,
        'c': n_consequent::double,
        'both': n_both::double,
        'only_a': n_antecedent::double - n_both,
        'only_c': n_consequent::double - n_both,
        'neither': n_orders::double - n_antecedent - n_consequent + n_both,
        -- both more than expected, times n
        'surplus': n_both::double * n_orders - n_antecedent::double * n_consequent
    }],
    lambda custseg_cells: case
        when custseg_cells.surplus is null then null
        when custseg_cells.only_a < 0 or custseg_cells.only_c < 0
            then {'term': 0::double, 'tail': 0::double}
        else list_transform(
            [exp(
                list_sum(list_transform(
                    [
                        {'x': custseg_cells.a, 'sign': 1},
                        {'x': custseg_cells.n - custseg_cells.a, 'sign': 1},
                        {'x': custseg_cells.c, 'sign': 1},
                        {'x': custseg_cells.n - custseg_cells.c, 'sign': 1},
                        {'x': custseg_cells.n, 'sign': -1},
                        {'x': custseg_cells.both, 'sign': -1},
                        {'x': custseg_cells.only_a, 'sign': -1},
                        {'x': custseg_cells.only_c, 'sign': -1},
                        {'x': custseg_cells.neither, 'sign': -1}
                    ],
                    -- ln(x!) - x ln(x) + x
                    lambda custseg_part: custseg_part.sign * case
                        when custseg_part.x = 0 then 0
                        when custseg_part.x < 16
                            then lgamma(custseg_part.x + 1)
                                - custseg_part.x * ln(custseg_part.x)
                                + custseg_part.x
                        else ln(2 * pi() * custseg_part.x) / 2
                            + 1 / 12 / custseg_part.x
                            - 1 / 360 / pow(custseg_part.x, 3)
                            + 1 / 1260 / pow(custseg_part.x, 5)
                            - 1 / 1680 / pow(custseg_part.x, 7)
                    end
                ))
                - list_sum(list_transform(
                    [
                        {
                            'x': custseg_cells.both,
                            'excess': custseg_cells.surplus
                                / custseg_cells.a / custseg_cells.c
                        },
                        {
                            'x': custseg_cells.only_a,
                            'excess': -custseg_cells.surplus
                                / custseg_cells.a / (custseg_cells.n - custseg_cells.c)
                        },
                        {
                            'x': custseg_cells.only_c,
                            'excess': -custseg_cells.surplus
                                / custseg_cells.c / (custseg_cells.n - custseg_cells.a)
                        },
                        {
                            'x': custseg_cells.neither,
                            'excess': custseg_cells.surplus
                                / (custseg_cells.n - custseg_cells.a)
                                / (custseg_cells.n - custseg_cells.c)
                        }
                    ],
                    -- x ln(x / expected), near 1 by its series
                    lambda custseg_cell: custseg_cell.x * case
                        when custseg_cell.x = 0 then 0
                        when abs(custseg_cell.excess) >= 1e-3
                            then ln(1 + custseg_cell.excess)
                        else custseg_cell.excess * (1 - custseg_cell.excess * (1 / 2
                            - custseg_cell.excess * (1 / 3 - custseg_cell.excess
                            * (1 / 4 - custseg_cell.excess / 5))))
                    end
                ))
            )],
            lambda custseg_first: {
                'term': custseg_first,
                -- by the ratio of each term to the one before, from the last on; those
                -- below 1e-14 of the first are left out. The logarithm of a ratio falls
                -- with the terms: at first by 'bend' a term, on the whole by half of
                -- it. Where a cell is 0 there are no terms, and that is never an error
                'tail': custseg_first * list_reduce(
                    list_transform(
                        [{
                            'fall': greatest(0, ln(
                                (custseg_cells.both + 1) * (custseg_cells.neither + 1)
                                / greatest(custseg_cells.only_a, 1)
                                / greatest(custseg_cells.only_c, 1)
                            )),
                            'bend': 1 / greatest(custseg_cells.only_a, 1)
                                + 1 / greatest(custseg_cells.only_c, 1)
                                + 1 / (
                                    33 + sqrt(33 * (33 + 2 * custseg_cells.both))
                                    + custseg_cells.both
                                )
                        }],
                        lambda custseg_slope: range(
                            case
                                when custseg_cells.only_a * custseg_cells.only_c = 0
                                    then 0
                                else least(
                                    custseg_cells.only_a,
                                    custseg_cells.only_c,
                                    ceil((
                                        sqrt(
                                            pow(custseg_slope.fall, 2)
                                            + 66 * custseg_slope.bend
                                        ) - custseg_slope.fall
                                    ) / custseg_slope.bend)
                                )
                            end::bigint,
                            0,
                            -1
                        )
                    )[1]::double[],
                    lambda custseg_sum, custseg_term: 1 + custseg_sum * (
                        (custseg_cells.only_a + 1 - custseg_term)
                        * (custseg_cells.only_c + 1 - custseg_term)
                        / (custseg_cells.both + custseg_term)
                        / (custseg_cells.neither + custseg_term)
                    ),
                    1::double
                )
            }
        )[1]
    end
)[1];
