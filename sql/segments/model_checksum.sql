-- model_checksum(model): tells whether a model is still as it was fitted.
-- in:  model STRUCT
-- out: VARCHAR, 32 hexadecimal digits; NULL for NULL
create or replace macro custseg.model_checksum(model) as
case when model is not null then md5(model::varchar) end;
