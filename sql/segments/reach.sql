-- reach(distance): the power of 2 from a distance up: dividing by it loses no bit.
-- in:  distance DOUBLE, finite, >= 0
-- out: DOUBLE, the least power of 2 that is not below distance; 0 for 0
create or replace macro custseg.reach(distance) as
case
    when distance > 0 then pow(2.0::double, ceil(log2(distance)))
    else 0
end;
