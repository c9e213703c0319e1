-- readable(value, feature): a feature's value as a person would write it.
-- in:  value DOUBLE; feature: its name; what ends in share is a part of 1
-- out: VARCHAR: three digits that count, thousands apart, shares in percent; NULL for
--      NULL
create or replace macro custseg.readable(value, feature) as
list_transform(
    [case when ends_with(feature, 'share') then 100 * value else value end],
    lambda custseg_number: case
        when abs(custseg_number) >= 1e15 then format('{:.2e}', custseg_number)
        when abs(custseg_number) >= 100
            or abs(custseg_number - round(custseg_number)) < 1e-6
            then format('{:,}', round(custseg_number)::bigint)
        when abs(custseg_number) >= 10 then format('{:.1f}', custseg_number)
        when abs(custseg_number) >= 0.01 then format('{:.2f}', custseg_number)
        when custseg_number is not null then format('{:.1e}', custseg_number)
    end
)[1] || case when ends_with(feature, 'share') then '%' else '' end;
