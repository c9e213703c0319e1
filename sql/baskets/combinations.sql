-- combinations(n, k): in how many ways k of n things can be chosen.
-- in:  n, k whole numbers >= 0
-- out: DOUBLE, exact below 2^53; 0 where k > n
create or replace macro custseg.combinations(n, k) as
list_reduce(
    range(1, k + 1)::double[],
    lambda custseg_ways, custseg_chosen:
        custseg_ways * greatest(n - custseg_chosen + 1, 0) / custseg_chosen,
    1::double
);
