-- plain_texts(): that texts which differ are not taken for the same, as under a
--      collation like nocase: items, customers and features would be, too.
-- in:  nothing
-- out: true, or an error
create or replace macro custseg.plain_texts() as
case
    when current_setting('default_collation') = '' then true
    else error('default_collation must be empty, got '
        || current_setting('default_collation')
        || ', which takes different texts for one. Reset it: '
        || 'set default_collation = '''' [option]')
end;
