-- version(): which version of custseg_duck put its macros into this database.
-- in:  nothing
-- out: VARCHAR
create or replace macro custseg.version() as '0.2.0';
