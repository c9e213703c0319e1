-- joined_features(timed_features, shares): customer_features, from its parts.
-- in:  timed_features, shares as the macros timed_features and
--      department_shares_of_counts give them
-- out: see customer_features
create or replace macro custseg.joined_features(timed_features, shares) as table
select
    timed_rows.* replace (
        cardinality(department_share)::bigint as n_departments
    ),
    department_share,
from query_table(timed_features) as timed_rows
left join query_table(shares) as share_rows
    on timed_rows.customer_id = share_rows.customer_id;
