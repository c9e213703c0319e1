-- chi_square_tail(chi_square, degrees): how likely a chi-square variable is at least
--      chi_square.
-- in:  chi_square, any number; degrees of freedom, a whole number >= 1
-- out: P(X >= chi_square), relative error below 1e-10 down to 1e-300; 1 up to a
--      chi_square of 0; NULL where one of them is NULL
-- source: Abramowitz & Stegun (1964), 26.4.4 (odd degrees) and 26.4.5 (even degrees):
--      terms exp(-h) h^j / gamma(j + 1) of h = chi_square / 2, with j in steps of 1 up
--      to degrees / 2 - 1, from 0 or 1/2; and for odd degrees twice the normal tail
create or replace macro custseg.chi_square_tail(chi_square, degrees) as
-- names of our own: a column of a table called like a lambda's would be taken for it
list_transform(
    [{'x': chi_square::double, 'degrees': degrees::double}],
    lambda custseg_chi: case
        when custseg_chi.x is null or custseg_chi.degrees is null then null
        when not custseg.require(
            custseg_chi.degrees >= 1
            and custseg_chi.degrees = floor(custseg_chi.degrees),
            'degrees must be a whole number of at least 1, got {} [option]',
            custseg_chi.degrees)
            then null
        when isnan(custseg_chi.x) then custseg_chi.x
        when custseg_chi.x <= 0 then 1
        when isinf(custseg_chi.x) then 0
        -- rounding may take a sum near 1 beyond it
        else least(1, coalesce(
            list_sum(list_transform(
                range(floor(custseg_chi.degrees / 2)::bigint),
                lambda custseg_step: exp(
                    (custseg_step + custseg_chi.degrees % 2 / 2)
                    * ln(custseg_chi.x / 2)
                    - custseg_chi.x / 2
                    - lgamma(custseg_step + custseg_chi.degrees % 2 / 2 + 1)
                )
            )),
            0
        ) + case
            when custseg_chi.degrees % 2 = 1
                then 2 * custseg.normal_tail(sqrt(custseg_chi.x))
            else 0
        end)
    end
)[1];
