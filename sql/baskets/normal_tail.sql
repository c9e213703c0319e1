-- normal_tail(z): how likely a standard normal variable is at least z.
-- in:  z, a number, infinite or not
-- out: P(Z >= z), relative error below 1e-10; NULL for NULL
-- source: Abramowitz & Stegun (1964), 26.2.11 (series) and 26.2.14 (continued fraction)
create or replace macro custseg.normal_tail(z) as
list_transform(
    [z::double],
    lambda custseg_z: case
        when custseg_z is null then null
        when isnan(custseg_z)
            then error('z must be a number, got nan [not-finite]')
        when isinf(custseg_z) then case when custseg_z > 0 then 0 else 1 end
        when abs(custseg_z) < 3
            then 0.5 - exp(-custseg_z * custseg_z / 2) / sqrt(2 * pi()) * custseg_z
                * list_reduce(
                    range(60, 0, -1)::double[],
                    lambda custseg_sum, custseg_term: 1
                        + custseg_sum * custseg_z * custseg_z / (2 * custseg_term + 1),
                    1::double
                )
        else list_transform(
            [exp(-custseg_z * custseg_z / 2) / sqrt(2 * pi()) / list_reduce(
                range(80, 0, -1)::double[],
                lambda custseg_below, custseg_term:
                    abs(custseg_z) + custseg_term / custseg_below,
                abs(custseg_z)
            )],
            lambda custseg_tail: case
                when custseg_z > 0 then custseg_tail
                else 1 - custseg_tail
            end
        )[1]
    end
)[1];
