-- combinations(n, k): in how many ways k of n things can be chosen.
-- in:  n, k whole numbers >= 0
-- out: DOUBLE, exact below 10^15; 0 where k > n
create or replace macro custseg.combinations(n, k) as
round(coalesce(
    list_aggregate(
        list_transform(
            range(1, k + 1)::double[],
            lambda custseg_chosen: greatest(n - custseg_chosen + 1, 0) / custseg_chosen
        ),
        'product'
    ),
    1
));
