-- line_kind(is_return, quantity, amount): what a line is, from what its shop says of it
--      or else its signs.
-- in:  is_return BOOLEAN, quantity, amount (number or text); each may be NULL
-- out: 'purchase', 'return' (negative quantity or amount) or 'empty' (quantity 0 and no
--      amount)
create or replace macro custseg.line_kind(is_return, quantity, amount) as
case
    when is_return is not null
        then case when is_return then 'return' else 'purchase' end
    when try_cast(quantity as decimal(18, 4)) < 0 then 'return'
    when try_cast(amount as decimal(18, 4)) < 0 then 'return'
    when try_cast(quantity as decimal(18, 4)) = 0
        and coalesce(try_cast(amount as decimal(18, 4)), 0) = 0 then 'empty'
    else 'purchase'
end;
