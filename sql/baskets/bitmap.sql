-- bitmap(place, size): an aggregate: the set of positions as one BIT, no longer than
--      it must be.
-- in:  place INTEGER (0 to size - 1, each once), size BIGINT (the same on every row
--      of the group, up to 2^28)
-- out: BIT of 2^8, 2^10, .. bits; DuckDB takes its length from literals only
create or replace macro custseg.bitmap(place, size) as
coalesce(
    bitstring_agg(place, 0, 255) filter (size <= 256),
    bitstring_agg(place, 0, 1023) filter (size > 256 and size <= 1024),
    bitstring_agg(place, 0, 4095) filter (size > 1024 and size <= 4096),
    bitstring_agg(place, 0, 16383) filter (size > 4096 and size <= 16384),
    bitstring_agg(place, 0, 65535) filter (size > 16384 and size <= 65536),
    bitstring_agg(place, 0, 262143) filter (size > 65536 and size <= 262144),
    bitstring_agg(place, 0, 1048575) filter (size > 262144 and size <= 1048576),
    bitstring_agg(place, 0, 4194303) filter (size > 1048576 and size <= 4194304),
    bitstring_agg(place, 0, 268435455) filter (size > 4194304)
);
