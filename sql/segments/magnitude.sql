-- magnitude(value): which bin of a logarithmic histogram a number falls into.
-- in:  value DOUBLE
-- out: INTEGER, never less for a greater value; 64 bins per doubling, 0 for 0; also 0
--      for what is not finite
create or replace macro custseg.magnitude(value) as
coalesce(
    try_cast(sign(value) * floor((log2(nullif(abs(value), 0)) + 1100) * 64) as integer),
    0
);
